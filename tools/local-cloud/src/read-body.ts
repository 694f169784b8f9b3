import type { IncomingMessage } from "node:http";

const EMPTY = Buffer.alloc(0);

// a client that is still sending does not read the response, so the rest of a body over the limit is read, within bounds
const DRAIN_FACTOR = 10;
const MAX_DRAIN_MS = 2_000;

/**
 * Returns the whole body of a request or response, or undefined if it has more than `maxBytes`: then it is read and thrown
 * away, up to ten times the limit and for at most two seconds if its length is declared. Rejects if the other side closes
 * the connection before the end.
 */
export function readBody(message: IncomingMessage): Promise<Buffer>;
export function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer | undefined>;
export async function readBody(
  message: IncomingMessage,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Buffer | undefined> {
  const { "content-length": declared, "transfer-encoding": encoding } = message.headers;
  const isRequest = message.method !== undefined && message.method !== null;
  // a request without either header has no body; a response without them ends with its connection
  if (isRequest && (declared === "0" || (declared === undefined && encoding === undefined)))
    return EMPTY;
  const maxDrainedBytes = DRAIN_FACTOR * maxBytes;
  const giveUp = () => {
    // nothing is sent back to the server of a response
    if (!isRequest) message.destroy();
    return undefined;
  };
  if (Number(declared) > maxDrainedBytes) return giveUp();
  let chunks: Buffer[] = [];
  let size = 0;
  // events, because an async iterator costs more than the rest of a small request
  return new Promise((resolve, reject) => {
    if (Number(declared) > maxBytes) setTimeout(resolve, MAX_DRAIN_MS, undefined).unref();
    message.on("data", function add(chunk: Buffer) {
      size += chunk.length;
      if (size <= maxBytes) return void chunks.push(chunk);
      chunks = [];
      if (size <= maxDrainedBytes) return;
      message.off("data", add);
      resolve(giveUp());
    });
    message.once("end", () => {
      if (size > maxBytes) resolve(undefined);
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size));
    });
    message.once("error", reject);
    message.once("close", () =>
      reject(new Error("The connection was closed before the end of the body")),
    );
  });
}
