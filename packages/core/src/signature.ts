import { createHmac, timingSafeEqual } from "node:crypto";

import { MAX_LIFETIME_SECONDS } from "./signature.schema.ts";

export * from "./signature.schema.ts";

// The signature of a signed delivery URL: HMAC-SHA256 over host, path and query. Pure functions.

/** Secrets by key id. `newest` signs; the others stay valid for verification, so that a key can be replaced while URLs signed with it are in use. */
export type SigningKeys = { newest: string; secrets: Readonly<Record<string, string>> };

/** What is signed: the host that the client asks, the path without the gateway's stage, and the query, each key once. */
export type SignedRequest = { host: string; path: string; query: Readonly<Record<string, string>> };

/** `exp` is the end of the validity, in seconds since 1970; `kid` the key id; `sig` base64url. */
export type Signature = { exp: number; kid: string; sig: string };

/** By how much the clocks of two functions may differ. */
const CLOCK_SKEW_SECONDS = 5 * 60;

/** The signature of `request` with the newest key, valid until `exp` (seconds since 1970). */
export function sign(
  { newest: kid, secrets }: SigningKeys,
  request: SignedRequest,
  exp: number,
): Signature {
  const query = { ...request.query, exp: String(exp), kid };
  return { exp, kid, sig: hmac(secrets[kid]!, { ...request, query }).toString("base64url") };
}

/**
 * Whether a request with `exp`, `kid` and `sig` in its query is signed, at `nowSeconds` since 1970. Only a request with a
 * correct signature can be `expired`; a forged one is `invalid`, however old it claims to be.
 */
export function verify(
  { secrets }: SigningKeys,
  request: SignedRequest,
  nowSeconds: number,
): "valid" | "expired" | "invalid" {
  const { sig = "", ...query } = request.query;
  const { kid = "", exp } = query;
  const secret = Object.hasOwn(secrets, kid) ? secrets[kid] : undefined;
  if (secret === undefined || !/^\d{10}$/.test(exp ?? "")) return "invalid";
  const expected = hmac(secret, { ...request, query });
  const actual = Buffer.from(sig, "base64url");
  // base64url has several spellings of the same bytes; only one is valid
  if (actual.length !== expected.length || actual.toString("base64url") !== sig) return "invalid";
  if (!timingSafeEqual(actual, expected)) return "invalid";
  if (Number(exp) > nowSeconds + MAX_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS) return "invalid";
  return Number(exp) > nowSeconds ? "valid" : "expired";
}

/** Of a JSON text, so that two different requests never have the same text. The order of the query does not matter, and the method is not signed: GET and HEAD have one signature. */
function hmac(secret: string, { host, path, query }: SignedRequest) {
  const pairs = Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(["balde.delivery.v1", host.toLowerCase(), path, pairs]);
  return createHmac("sha256", secret).update(text).digest();
}
