import { Readable } from "node:stream";

import { isTemporary } from "./aws-request.ts";

/** Requests in a row that bring no byte. */
const MAX_FRUITLESS_REQUESTS = 3;

/**
 * The bytes of `first` as a stream. If it breaks off, the stream goes on with what `reopen` returns for the number of bytes
 * that were received; if that is undefined, or nothing comes any more, it fails with the error of the network.
 */
export function resumable(
  first: Readable,
  reopen: (received: number) => Promise<Readable | undefined>,
): Readable {
  let current = first;
  let received = 0;

  async function* bytes() {
    for (let fruitless = 0; ;) {
      const before = received;
      try {
        for await (const chunk of current as AsyncIterable<Buffer>) {
          received += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        fruitless = received > before ? 0 : fruitless + 1;
        if (fruitless === MAX_FRUITLESS_REQUESTS || !isTemporary(error)) throw error;
        const next = await reopen(received);
        if (!next) throw error;
        current = next;
      }
    }
  }

  const stream = Readable.from(bytes(), { objectMode: false });
  // one that is not read at all has not started the loop, which would close the connection
  return stream.once("close", () => current.destroy());
}
