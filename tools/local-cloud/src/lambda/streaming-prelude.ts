import type { IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";

import type { Prelude } from "./invoke-result.ts";

/** API Gateway looks for the end of the metadata in the first 16 KB: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html */
const MAX_PRELUDE_BYTES = 16_384;
const DELIMITER = Buffer.alloc(8);

const PRELUDE_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response";

/** Returns the metadata and the body of a response `metadata as JSON, eight NUL bytes, body`; rejects when it does not start like that. */
export async function splitPrelude(
  response: IncomingMessage,
): Promise<{ prelude: Prelude; body: Readable }> {
  const body = new PassThrough();
  if (response.headers["content-type"] !== PRELUDE_CONTENT_TYPE)
    return { prelude: {}, body: pipeBody(response, body) };
  let start = Buffer.alloc(0);
  for (;;) {
    const chunk: Buffer | undefined = await nextChunk(response);
    if (!chunk) throw new Error("The stream ended before its metadata did");
    start = Buffer.concat([start, chunk]);
    const end = start.indexOf(DELIMITER);
    if (end >= 0) {
      if (start.length > end + DELIMITER.length) body.write(start.subarray(end + DELIMITER.length));
      return {
        prelude: JSON.parse(start.toString("utf8", 0, end)),
        body: pipeBody(response, body),
      };
    }
    if (start.length > MAX_PRELUDE_BYTES)
      throw new Error("No end of metadata in the first 16 KB of the stream");
  }
}

/**
 * Ends the caller's stream with the function's; an error in a trailer, or a process that exited, destroys it. A caller that
 * disconnects does not stop the function: as in AWS it keeps running, and what it writes is discarded.
 */
function pipeBody(response: IncomingMessage, body: PassThrough) {
  response.on("end", () => {
    const type = response.trailers["lambda-runtime-function-error-type"];
    if (!type) return body.end();
    body.destroy(new Error(`${type}: ${trailerMessage(response)}`));
  });
  response.on("close", () => {
    if (!response.complete)
      body.destroy(new Error("The function's process ended in the middle of its response"));
  });
  // unpipe before the pipe's own handler, which would pause the response
  body.on("close", () => response.unpipe(body).resume());
  response.pipe(body, { end: false });
  return body;
}

function trailerMessage(response: IncomingMessage) {
  const body = response.trailers["lambda-runtime-function-error-body"];
  return body ? JSON.parse(Buffer.from(body, "base64").toString()).errorMessage : "";
}

function nextChunk(stream: IncomingMessage) {
  return new Promise<Buffer | undefined>((resolve, reject) => {
    const settle = () => {
      const chunk = stream.read() as Buffer | null;
      if (!chunk && !stream.readableEnded && !stream.destroyed) return;
      stream.off("readable", settle).off("end", settle).off("close", settle).off("error", reject);
      resolve(chunk ?? undefined);
    };
    stream.on("readable", settle).on("end", settle).on("close", settle).on("error", reject);
    if (stream.readableEnded || stream.destroyed) settle();
  });
}
