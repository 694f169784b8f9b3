import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The response to a delivery request. */
export type DeliveryResponse = {
  status: number;
  headers: Record<string, string>;
  body?: Buffer | Readable | undefined;
  /** Work that would delay the response, such as storing what was rendered. Never rejects. */
  afterSent?: (() => Promise<void>) | undefined;
};

/** Resolves when the runtime has the last byte of the body. */
export async function write(
  out: NodeJS.WritableStream,
  body: DeliveryResponse["body"],
): Promise<void> {
  if (body instanceof Readable) return pipeline(body, out);
  // the runtime sends status and headers with the first write, even an empty one; `end` alone sends neither:
  // https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/HttpResponseStream.js
  out.write(body ?? "");
  return new Promise((resolve, reject) => {
    out.once("error", reject);
    out.end(resolve);
  });
}
