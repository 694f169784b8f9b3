import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { HttpResponse, PartialRequestContext } from "./request-context.ts";

/** Writes the answer with the gateway's own header fields. Resolves with the length of the body when it is written or the client has gone. */
export async function writeResponse(
  { status, headers, body }: HttpResponse,
  context: Pick<PartialRequestContext, "requestId" | "extendedRequestId">,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<number> {
  if (res.destroyed) {
    discardBody(body);
    return 0;
  }
  const fields = headers.flat();
  fields.push("x-amzn-RequestId", context.requestId);
  fields.push("x-amz-apigw-id", context.extendedRequestId);
  const hasBody = req.method !== "HEAD" && status !== 204 && status !== 304;
  if (typeof body === "string" || Buffer.isBuffer(body)) {
    const length = Buffer.byteLength(body);
    if (status !== 204 && status !== 304) fields.push("Content-Length", String(length));
    res.writeHead(status, fields);
    res.end(hasBody ? body : undefined);
    return hasBody ? length : 0;
  }
  res.writeHead(status, fields);
  if (!hasBody) {
    discardBody(body);
    res.end();
    return 0;
  }
  // the head goes out before the first byte is there: the client may want the status
  res.flushHeaders();
  let length = 0;
  body.on("data", (chunk: Buffer) => void (length += chunk.length));
  try {
    await pipeline(body, res);
  } catch {
    // the client left, or the function broke off: a cut-off body is all that HTTP can say
    res.destroy();
  }
  return length;
}

/** A body that nobody will read. */
function discardBody(body: HttpResponse["body"]) {
  if (typeof body === "string" || Buffer.isBuffer(body)) return;
  (body as Readable).on("error", () => {}).destroy();
}
