import type { Image } from "./api.ts";
import { ProblemError } from "./problem.ts";
import type { Progress } from "./progress.ts";
import type { Attempt } from "./retry.ts";
import { isExpiry, putPart } from "./send-to-bucket.ts";
import type { Parts, UploadCalls } from "./upload-calls.ts";

/** Parts of a file that are sent at the same time: two fill the connection, also when one waits for its answer. */
const WORKERS = 2;
/** Addresses that one request signs. They are used at once: an address expires, and so does the token that signed it. */
const SIGNED_AT_ONCE = 4;
/** An address that ends so soon is not used any more. */
const MARGIN_MS = 60_000;
/** How often the parts are compared with those of the bucket. */
const ROUNDS = 3;

type Options = {
  calls: UploadCalls;
  id: Image["id"];
  file: Blob;
  parts: Parts;
  attempt: Attempt;
  progress: Progress;
};

/** Returns what sends a file in parts. */
export function createPartSender({ calls, id, file, parts, attempt, progress }: Options) {
  const { partBytes, partCount } = parts;
  const numbers = Array.from({ length: partCount }, (_, index) => index + 1);
  const slice = (number: number) => file.slice((number - 1) * partBytes, number * partBytes);
  const stored = new Set<number>();
  const addresses = new Map<number, { url: string; expiresAt: number }>();
  let signing: Promise<unknown> = Promise.resolve();

  /** The address of a part; those of the parts after it are signed with it. */
  async function addressOf(number: number, signal: AbortSignal) {
    // one request after another, because the first may sign the part of the second
    const turn = signing.then(async () => {
      const known = addresses.get(number);
      if (known && known.expiresAt - Date.now() > MARGIN_MS) return known.url;
      const next = numbers.filter((one) => one > number && !stored.has(one) && !addresses.has(one));
      const batch = [number, ...next.slice(0, SIGNED_AT_ONCE - 1)];
      const signed = await calls.sign(id, batch, signal);
      const expiresAt = Date.parse(signed.expiresAt);
      for (const { number: one, url } of signed.parts) addresses.set(one, { url, expiresAt });
      return addresses.get(number)!.url;
    });
    signing = turn.catch(() => {});
    return turn;
  }

  async function sendPart(number: number, stop: AbortSignal): Promise<void> {
    const part = slice(number);
    let isRepeated = false;
    await attempt(async (signal) => {
      stop.throwIfAborted();
      // the bucket may have got the part although its answer was lost, or the upload was paused
      if (isRepeated && (await findStored(signal)).includes(number)) return;
      try {
        const url = await addressOf(number, signal);
        addresses.delete(number);
        isRepeated = true;
        await putPart(url, part, {
          signal: AbortSignal.any([signal, stop]),
          onProgress: (sent) => progress.set(number, sent),
        });
      } catch (error) {
        if (isExpiry(error)) throw new TypeError("The address has expired", { cause: error });
        // the upload was completed by another page, or was removed: the completion tells
        if (!isGone(error)) throw error;
      }
    });
    stored.add(number);
    progress.set(number, part.size);
  }

  async function findStored(signal: AbortSignal): Promise<number[]> {
    const { parts: found, received } = await calls.state(id, signal);
    return received ? numbers : (found ?? []).map(({ number }) => number);
  }

  async function sendAll(missing: number[]): Promise<void> {
    const waiting = [...missing];
    const stop = new AbortController();
    const work = async () => {
      for (let number = waiting.shift(); number; number = waiting.shift())
        await sendPart(number, stop.signal);
    };
    try {
      await Promise.all(Array.from({ length: WORKERS }, work));
    } catch (error) {
      // the other worker has nothing to send any more
      waiting.length = 0;
      stop.abort(new DOMException("Another part has failed", "AbortError"));
      throw error;
    }
  }

  return {
    /** Sends all parts but those that are stored already, and completes the upload. */
    async send(known: number[]): Promise<void> {
      for (let found = known, round = 1; ; round++) {
        stored.clear();
        for (const number of found) {
          stored.add(number);
          progress.set(number, slice(number).size);
        }
        await sendAll(numbers.filter((number) => !stored.has(number)));
        try {
          await attempt((signal) => calls.complete(id, signal));
          return;
        } catch (error) {
          if (!isIncomplete(error) || round === ROUNDS) throw error;
        }
        found = await attempt(findStored);
      }
    },
  };
}

const isGone = (error: unknown) =>
  error instanceof ProblemError && ["storage.NoSuchUpload", "upload.received"].includes(error.code);

const isIncomplete = (error: unknown) =>
  error instanceof ProblemError && error.code === "upload.incomplete";
