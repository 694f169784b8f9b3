import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { HttpResponse, PartialRequestContext } from "./types.ts";

/** Writes a response with the request ids. Returns the number of body bytes when it is written or the client has disconnected. */
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
  // headers are sent before the first byte exists: the client may need the status
  res.flushHeaders();
  let length = 0;
  body.on("data", (chunk: Buffer) => void (length += chunk.length));
  try {
    await pipeline(body, res);
  } catch {
    // the client disconnected or the function failed midway: HTTP can only cut the body off
    res.destroy();
  }
  return length;
}

/** Destroys a stream that will not be read. */
function discardBody(body: HttpResponse["body"]) {
  if (typeof body === "string" || Buffer.isBuffer(body)) return;
  (body as Readable).on("error", () => {}).destroy();
}
