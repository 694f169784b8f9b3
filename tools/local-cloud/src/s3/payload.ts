import { createHash } from "node:crypto";

import { UNSIGNED_PAYLOAD } from "../iam/verify-signature.ts";
import type { Call, S3 } from "./types.ts";
import * as Checksum from "./checksum.ts";
import * as Chunked from "./chunked.ts";
import { S3Error, notImplemented } from "./s3-error.ts";
import type { Received } from "./blob-files.ts";

/** What the request claims about the bytes; a value in a trailer is known only after the last byte. */
export type Claim = {
  length?: number | undefined;
  md5?: string | undefined;
  sha256?: string | undefined;
  checksum?: { algorithm: Checksum.Algorithm; value?: () => string | undefined } | undefined;
};

/** Stores the bytes of `source` if they match the claim, else nothing. */
export async function receive(
  s3: S3,
  source: AsyncIterable<Buffer>,
  claim: Claim,
): Promise<Received> {
  const meter = createMeter(claim);
  const blob = await s3.blobs.write(meter.through(source));
  return { blob, ...meter.result() };
}

/** Reads a small body, such as an XML document, as a whole. */
export async function text(call: Call, limit: number): Promise<string> {
  const { source, claim } = open(call);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of createMeter(claim).through(source)) {
    size += chunk.length;
    if (size > limit) throw new S3Error("MalformedXML", "The XML you provided was too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The bytes of a PUT without chunk framing, and the claims of its headers. */
export function open(call: Call): { source: AsyncIterable<Buffer>; claim: Claim } {
  const { headers, caller } = call;
  const stated = caller.payloadHash ?? headers["x-amz-content-sha256"] ?? UNSIGNED_PAYLOAD;
  const checksum = checksumOf(headers);
  if (!stated.startsWith("STREAMING-")) {
    const length = lengthOf(headers["content-length"]);
    const sha256 = stated === UNSIGNED_PAYLOAD ? undefined : stated;
    return {
      source: call.body(),
      claim: { length, sha256, md5: headers["content-md5"], checksum },
    };
  }
  const framing = framings[stated];
  if (!framing) throw notImplemented(`x-amz-content-sha256: ${stated}`);
  if (framing.signed && !caller.seed) throw new S3Error("AccessDenied", "Access Denied");
  const length = lengthOf(headers["x-amz-decoded-content-length"]);
  const trailer = new Map<string, string>();
  const name = headers["x-amz-trailer"]?.trim().toLowerCase();
  const seed = framing.signed ? { seed: caller.seed! } : {};
  return {
    source: Chunked.unframe(call.body(), { ...seed, hasTrailer: name !== undefined }, trailer),
    claim: { length, md5: headers["content-md5"], checksum: trailing(name, trailer) ?? checksum },
  };
}

/** The checksum in headers or form fields; S3 accepts one. */
export function checksumOf(headers: Record<string, string | undefined>): Claim["checksum"] {
  const stated = Checksum.algorithms.filter(
    (algorithm) => headers[`x-amz-checksum-${algorithm}`] !== undefined,
  );
  if (stated.length > 1)
    throw new S3Error(
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  const [algorithm] = stated;
  const sdk = headers["x-amz-sdk-checksum-algorithm"];
  if (!algorithm) {
    if (sdk && !headers["x-amz-trailer"])
      throw new S3Error(
        "InvalidRequest",
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      );
    return undefined;
  }
  const value = headers[`x-amz-checksum-${algorithm}`]!;
  if (Buffer.from(value, "base64").length !== Checksum.lengthOf[algorithm])
    throw new S3Error("InvalidRequest", `Value for x-amz-checksum-${algorithm} header is invalid.`);
  return { algorithm, value: () => value };
}

const framings: Record<string, { signed: boolean }> = {
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { signed: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { signed: true },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { signed: true },
};

function trailing(name: string | undefined, trailer: Map<string, string>): Claim["checksum"] {
  if (name === undefined) return undefined;
  const algorithm = Checksum.algorithms.find((one) => name === `x-amz-checksum-${one}`);
  if (!algorithm)
    throw new S3Error(
      "InvalidRequest",
      "The value specified in the x-amz-trailer header is not supported",
    );
  return { algorithm, value: () => trailer.get(name) ?? "" };
}

/** One PUT takes 5 GiB. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

function lengthOf(header: string | undefined): number {
  if (header === undefined || !/^\d+$/.test(header))
    throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
  if (Number(header) > MAX_PUT_BYTES) throw tooLarge(Number(header), MAX_PUT_BYTES);
  return Number(header);
}

export const tooLarge = (size: number, limit: number) =>
  new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
    ProposedSize: String(size),
    MaxSizeAllowed: String(limit),
  });

function createMeter(claim: Claim) {
  const md5 = createHash("md5");
  const sha256 = claim.sha256 === undefined ? undefined : createHash("sha256");
  const checksum = claim.checksum && Checksum.createHasher(claim.checksum.algorithm);
  if (claim.md5 !== undefined && Buffer.from(claim.md5, "base64").length !== 16)
    throw new S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.");
  let size = 0;
  let result: Omit<Received, "blob"> | undefined;

  const check = () => {
    if (claim.length !== undefined && size !== claim.length)
      throw new S3Error(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
      );
    if (sha256 && sha256.digest("hex") !== claim.sha256)
      throw new S3Error(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    const md5Digest = md5.digest();
    if (claim.md5 !== undefined && md5Digest.toString("base64") !== claim.md5)
      throw new S3Error(
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
      );
    result = { size, md5: md5Digest.toString("hex") };
    if (!claim.checksum || !checksum) return;
    const { algorithm } = claim.checksum;
    const value = checksum.digest().toString("base64");
    if (claim.checksum.value && claim.checksum.value() !== value)
      throw new S3Error(
        "BadDigest",
        `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
      );
    result = { ...result, checksum: { algorithm, value } };
  };

  return {
    async *through(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
      for await (const chunk of source) {
        size += chunk.length;
        if (claim.length !== undefined && size > claim.length) break;
        md5.update(chunk);
        sha256?.update(chunk);
        checksum?.update(chunk);
        yield chunk;
      }
      check();
    },
    result: () => result!,
  };
}
