import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { Answer, Refused } from "./exchange.ts";

/** Writes the answer with the gateway's own header fields. Resolves when it is written or the client has gone. */
export async function write(
  { status, headers, body }: Answer,
  exchange: Pick<Refused, "requestId" | "extendedRequestId">,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (res.destroyed) return discard(body);
  const fields = headers.flat();
  fields.push("x-amzn-RequestId", exchange.requestId);
  fields.push("x-amz-apigw-id", exchange.extendedRequestId);
  const hasBody = req.method !== "HEAD" && status !== 204 && status !== 304;
  if (typeof body === "string" || Buffer.isBuffer(body)) {
    if (status !== 204 && status !== 304)
      fields.push("Content-Length", String(Buffer.byteLength(body)));
    res.writeHead(status, fields);
    res.end(hasBody ? body : undefined);
    return;
  }
  res.writeHead(status, fields);
  if (!hasBody) {
    discard(body);
    res.end();
    return;
  }
  // the head goes out before the first byte is there: the client may want the status
  res.flushHeaders();
  try {
    await pipeline(body, res);
  } catch {
    // the client left, or the function broke off: a cut-off body is all that HTTP can say
    res.destroy();
  }
}

/** A body that nobody will read. */
function discard(body: Answer["body"]) {
  if (typeof body === "string" || Buffer.isBuffer(body)) return;
  (body as Readable).on("error", () => {}).destroy();
}
