import { createHash } from "node:crypto";

import { equalInConstantTime, hmacHex, sha256 } from "../iam/signature-parts.ts";
import { S3Error } from "./s3-error.ts";

export type Framing = {
  /** From the request's own signature; absent when its chunks are not signed. */
  seed?: { key: Buffer; date: string; scope: string; signature: string };
  /** Whether headers follow the last chunk. */
  hasTrailer: boolean;
};

/**
 * Takes the bytes out of an aws-chunked body and checks each chunk's signature; what follows the last chunk goes to `trailer`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
 */
export async function* unframe(
  source: AsyncIterable<Buffer>,
  { seed, hasTrailer }: Framing,
  trailer: Map<string, string>,
): AsyncIterable<Buffer> {
  const input = reader(source);
  let previous = seed?.signature ?? "";
  for (;;) {
    const [, hex, signature] =
      /^([\da-f]{1,16})(?:;chunk-signature=([\da-f]{64}))?$/i.exec(await input.line()) ?? [];
    if (hex === undefined || (seed && !signature)) throw incomplete();
    let left = Number.parseInt(hex, 16);
    const isLast = left === 0;
    const hash = createHash("sha256");
    while (left > 0) {
      const piece = await input.take(left);
      left -= piece.length;
      if (seed) hash.update(piece);
      yield piece;
    }
    if (seed) {
      const text = [
        "AWS4-HMAC-SHA256-PAYLOAD",
        seed.date,
        seed.scope,
        previous,
        sha256(""),
        hash.digest("hex"),
      ];
      if (!equalInConstantTime(hmacHex(seed.key, text.join("\n")), signature!)) throw mismatch();
      previous = signature!;
    }
    if (isLast) break;
    if ((await input.line()) !== "") throw incomplete();
  }
  for (let line = await input.line(); line !== ""; line = await input.line()) {
    const colon = line.indexOf(":");
    trailer.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  if (seed && hasTrailer) {
    const signature = trailer.get("x-amz-trailer-signature") ?? "";
    trailer.delete("x-amz-trailer-signature");
    const headers = [...trailer].map(([name, value]) => `${name}:${value}\n`).join("");
    const text = ["AWS4-HMAC-SHA256-TRAILER", seed.date, seed.scope, previous, sha256(headers)];
    if (!equalInConstantTime(hmacHex(seed.key, text.join("\n")), signature)) throw mismatch();
  }
}

function reader(source: AsyncIterable<Buffer>) {
  const chunks = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async () => {
    const { value, done } = await chunks.next();
    if (done) throw incomplete();
    held = held.length === 0 ? value : Buffer.concat([held, value]);
  };
  const cut = (length: number) => {
    const piece = held.subarray(0, length);
    held = held.subarray(length);
    return piece;
  };
  return {
    async line(): Promise<string> {
      let end = held.indexOf("\r\n");
      while (end < 0) {
        if (held.length > LONGEST_LINE) throw incomplete();
        await more();
        end = held.indexOf("\r\n");
      }
      const line = cut(end).toString("latin1");
      cut(2);
      return line;
    },
    /** The available bytes, at least one and at most `length`. */
    async take(length: number): Promise<Buffer> {
      if (held.length === 0) await more();
      return cut(Math.min(length, held.length));
    },
  };
}

/** The longest chunk header line, in bytes: many times a size, a signature and a name. */
const LONGEST_LINE = 4096;

const incomplete = () =>
  new S3Error(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header",
  );

const mismatch = () =>
  new S3Error(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  );
