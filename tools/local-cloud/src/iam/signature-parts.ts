import { createHmac, hash, timingSafeEqual } from "node:crypto";

import { LRUCache } from "lru-cache";

export const ALGORITHM = "AWS4-HMAC-SHA256";

export type CredentialScope = { service: string; region: string };

/** Four of the five hashes that a signature costs are the same all day. */
const signingKeys = new LRUCache<string, Buffer>({ max: 1_000 });

/** Returns the signing key of one day, region and service; it also signs POST policies and chunks. */
export function signingKey(
  secret: string,
  day: string,
  { service, region }: CredentialScope,
): Buffer {
  const name = [day, region, service, secret].join("/");
  const cached = signingKeys.get(name);
  if (cached) return cached;
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), "aws4_request");
  signingKeys.set(name, key);
  return key;
}

export const hmacHex = (key: Buffer, text: string) => hmac(key, text).toString("hex");

export const sha256 = (data: string | Uint8Array) => hash("sha256", data, "hex");

/** Compares in a time that does not depend on where the texts differ. */
export function equalInConstantTime(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => hash("sha256", text, "buffer"));
  return timingSafeEqual(left!, right!);
}

/** Returns `20261121T070000Z` in milliseconds since the epoch, undefined for another format. */
export function parseAmzDate(date: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}

export function parseCredential(credential: string) {
  // an access key id may contain a slash, the scope does not
  const parts = credential.split("/");
  const [day = "", region = "", service = "", terminator = ""] = parts.slice(-4);
  const accessKeyId = terminator === "aws4_request" ? parts.slice(0, -4).join("/") : "";
  return { accessKeyId, day, region, service };
}

type Authorization = ReturnType<typeof parseCredential> & {
  signedHeaders: string[];
  signature: string;
};

export function parseAuthorization(value: string): Authorization | undefined {
  if (!value.startsWith(`${ALGORITHM} `)) return undefined;
  const fields = new Map(
    value
      .slice(ALGORITHM.length)
      .split(",")
      .map((field) => field.trim().split(/=(.*)/s, 2) as [string, string]),
  );
  const credential = parseCredential(fields.get("Credential") ?? "");
  const signedHeaders = fields.get("SignedHeaders");
  const signature = fields.get("Signature");
  if (!credential.accessKeyId || !signedHeaders || !signature) return undefined;
  return { ...credential, signedHeaders: signedHeaders.split(";"), signature };
}

/** Returns an HTTP date, which the `date` header may have, in the format of `x-amz-date`. */
export function toAmzDate(date: string | undefined): string | undefined {
  if (date === undefined || parseAmzDate(date) !== undefined) return date;
  const time = Date.parse(date);
  return Number.isNaN(time) ? undefined : formatAmzDate(time);
}

export const formatAmzDate = (time: number) =>
  new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, "");

export const scopeOf = (date: string, { service, region }: CredentialScope) =>
  `${date.slice(0, 8)}/${region}/${service}/aws4_request`;

export const stringToSign = (date: string, scope: string, canonical: string) =>
  [ALGORITHM, date, scope, sha256(canonical)].join("\n");

const hmac = (key: Buffer | string, text: string) =>
  createHmac("sha256", key).update(text).digest();
