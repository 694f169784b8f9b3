import type { IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";

import type { Prelude } from "./result.ts";

/** API Gateway looks for the end of the metadata in the first 16 KB: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html */
const maxPreludeBytes = 16_384;
const delimiter = Buffer.alloc(8);

const preludeType = "application/vnd.awslambda.http-integration-response";

/** Reads `metadata JSON, eight NUL bytes, body`; rejects when the beginning is not that. */
export async function splitPrelude(
  response: IncomingMessage,
): Promise<{ prelude: Prelude; body: Readable }> {
  const body = new PassThrough();
  if (response.headers["content-type"] !== preludeType)
    return { prelude: {}, body: follow(response, body) };
  let start = Buffer.alloc(0);
  for (;;) {
    const chunk: Buffer | undefined = await nextChunk(response);
    if (!chunk) throw new Error("The stream ended before its metadata did");
    start = Buffer.concat([start, chunk]);
    const end = start.indexOf(delimiter);
    if (end >= 0) {
      if (start.length > end + delimiter.length) body.write(start.subarray(end + delimiter.length));
      return { prelude: JSON.parse(start.toString("utf8", 0, end)), body: follow(response, body) };
    }
    if (start.length > maxPreludeBytes)
      throw new Error("No end of metadata in the first 16 KB of the stream");
  }
}

/**
 * The function's stream ends the caller's; an error in a trailer, or a process that died, breaks it. A caller who leaves
 * does not stop the function: as on AWS it runs on, and what it still writes is dropped.
 */
function follow(response: IncomingMessage, body: PassThrough) {
  response.on("end", () => {
    const type = response.trailers["lambda-runtime-function-error-type"];
    if (!type) return body.end();
    body.destroy(new Error(`${type}: ${trailerMessage(response)}`));
  });
  response.on("close", () => {
    if (!response.complete)
      body.destroy(new Error("The function's process ended in the middle of its response"));
  });
  // unpiped by hand and first: the pipe's own end, which comes after this, would pause what is to run on
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
