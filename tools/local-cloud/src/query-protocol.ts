import type { ServerResponse } from "node:http";

/**
 * AWS's query protocol, which awscli 1 and 2.9 still use for SQS and every SDK uses for STS: form fields in, XML out.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export type XmlContent = string | number | boolean | XmlFields;

/** An array becomes an element per item; an undefined field is left out. */
export type XmlFields = { [name: string]: XmlContent | XmlContent[] | undefined };

/** Returns whether a request of this content type has form fields as its body. */
export const isQueryRequest = (contentType: string | undefined) =>
  contentType?.split(";", 1)[0]?.trim().toLowerCase() === "application/x-www-form-urlencoded";

/** Returns the fields of a form body; of a repeated field the last value. */
export const parseForm = (body: Buffer): Map<string, string> =>
  new Map(new URLSearchParams(body.toString("utf8")));

/** Sends `<ActionResponse><ActionResult>…`; without `result` the response has metadata only. */
export function sendQueryResult(
  response: ServerResponse,
  action: string,
  namespace: string,
  result: XmlFields | undefined,
  requestId: string,
): void {
  sendXml(response, 200, `${action}Response`, namespace, requestId, {
    ...(result && { [`${action}Result`]: result }),
    ResponseMetadata: { RequestId: requestId },
  });
}

/** Sends `<ErrorResponse>`; `code` is the name that clients compare. */
export function sendQueryError(
  response: ServerResponse,
  namespace: string,
  { status, code, message }: { status: number; code: string; message: string },
  requestId: string,
): void {
  sendXml(response, status, "ErrorResponse", namespace, requestId, {
    Error: { Type: status < 500 ? "Sender" : "Receiver", Code: code, Message: message },
    RequestId: requestId,
  });
}

function sendXml(
  response: ServerResponse,
  status: number,
  root: string,
  namespace: string,
  requestId: string,
  fields: XmlFields,
): void {
  const text = `<?xml version="1.0"?><${root} xmlns="${namespace}">${toXml(fields)}</${root}>`;
  response.writeHead(status, {
    "content-type": "text/xml",
    "content-length": Buffer.byteLength(text),
    "x-amzn-requestid": requestId,
  });
  response.end(text);
}

function toXml(content: XmlContent): string {
  if (typeof content !== "object") return escapeXml(String(content));
  return Object.entries(content)
    .flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one] as const))
    .map(([name, value]) => `<${name}>${toXml(value)}</${name}>`)
    .join("");
}

const escapeXml = (text: string) =>
  // a carriage return is escaped too: an XML reader would turn it into a line feed
  text.replace(/[&<>"\r]/g, (char) => `&#${char.charCodeAt(0)};`);
