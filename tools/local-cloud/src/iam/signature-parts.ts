import { createHmac, hash, timingSafeEqual } from "node:crypto";

export const ALGORITHM = "AWS4-HMAC-SHA256";

export type CredentialScope = { service: string; region: string };

/** The key of one day, region and service; also signs POST policies and chunks. */
export function signingKey(
  secret: string,
  day: string,
  { service, region }: CredentialScope,
): Buffer {
  const name = [day, region, service, secret].join("/");
  const known = signingKeys.get(name);
  if (known) return known;
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), "aws4_request");
  if (signingKeys.size >= MAX_KEYS) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

/** Those of today: four of the five hashes that a signature costs. */
const signingKeys = new Map<string, Buffer>();
const MAX_KEYS = 1_000;

export const hmacHex = (key: Buffer, text: string) => hmac(key, text).toString("hex");

export const sha256 = (data: string | Uint8Array) => hash("sha256", data, "hex");

/** Compares in a time that tells nothing about where the texts differ. */
export function equalInConstantTime(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => hash("sha256", text, "buffer"));
  return timingSafeEqual(left!, right!);
}

/** `20261121T070000Z` as milliseconds. */
export function parseAmzDate(date: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}

export function parseCredential(credential: string) {
  // an access key may hold a slash in theory, the scope never does
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

/** An HTTP date, as the `date` header may hold instead of `x-amz-date`. */
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
