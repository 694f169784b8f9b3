import { createHmac, timingSafeEqual } from "node:crypto";

import { MAX_SECONDS } from "./signature.schema.ts";

export * from "./signature.schema.ts";

// An address that somebody was given for a while: HMAC-SHA256 over everything that makes it this address. Pure.

/** Secrets by their ids. Several are good at once, so that a new one can take over while addresses of the old one live; `newest` signs. */
export type Keys = { newest: string; secrets: Readonly<Record<string, string>> };

/** The host as the client named it, the path without the gateway's stage, each key of the query once, as text. */
export type Address = { host: string; path: string; query: Readonly<Record<string, string>> };

/** `exp` in seconds since 1970. */
export type Signature = { exp: number; kid: string; sig: string };

/** What the clocks of two functions may differ by: who signed for a week just now must not seem to have signed for longer. */
const SKEW_SECONDS = 5 * 60;

export function sign({ newest: kid, secrets }: Keys, address: Address, exp: number): Signature {
  const query = { ...address.query, exp: String(exp), kid };
  return { exp, kid, sig: mac(secrets[kid]!, { ...address, query }).toString("base64url") };
}

/** What an address is worth at a moment, in seconds. `expired` is said of true signatures only: whoever made one up learns nothing by its age. */
export function check(
  { secrets }: Keys,
  address: Address,
  now: number,
): "good" | "expired" | "wrong" {
  const { sig = "", ...query } = address.query;
  const { kid = "", exp } = query;
  const secret = Object.hasOwn(secrets, kid) ? secrets[kid] : undefined;
  if (secret === undefined || !/^\d{10}$/.test(exp ?? "")) return "wrong";
  const expected = mac(secret, { ...address, query });
  const given = Buffer.from(sig, "base64url");
  // one signature has one spelling
  if (given.length !== expected.length || given.toString("base64url") !== sig) return "wrong";
  if (!timingSafeEqual(given, expected)) return "wrong";
  if (Number(exp) > now + MAX_SECONDS + SKEW_SECONDS) return "wrong";
  return Number(exp) > now ? "good" : "expired";
}

/** No two addresses are the same text: JSON says where each part ends. The order of the query means nothing. GET and HEAD are one. */
function mac(secret: string, { host, path, query }: Address) {
  const parts = Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(["balde.delivery.v1", host.toLowerCase(), path, parts]);
  return createHmac("sha256", secret).update(text).digest();
}
