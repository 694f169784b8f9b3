import { type KeyObject, hash } from "node:crypto";

import { errors, jwtVerify } from "jose";

import type { Clock } from "../clock.ts";

export type Claims = Record<string, unknown>;

/** The claims of a good token, or why it is not one. */
export type Verified = { claims: Claims } | { reason: "expired" | "invalid" };

export type TokenRules = {
  issuer: string;
  keyId: string;
  publicKey: KeyObject;
  /** The ids of the pool's clients. */
  clients: ReadonlySet<string>;
};

// longer than any real one, and short enough to refuse unread
const MAX_LENGTH = 8_192;
// how far the issuer's clock may be ahead
const SKEW_MS = 60_000;
// keeps a flood of good tokens from filling the memory
const MAX_CACHED = 10_000;

/**
 * Checks a pool's ID and access tokens: RS256 and nothing else, the pool's own key, issuer, time, use, client. Revocation
 * is not asked, as API Gateway does not either.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
 */
export function createVerifier(rules: TokenRules, clock: Clock) {
  // the signature is the slow part: a good token is good until it expires
  const cache = new Map<string, Claims>();

  return async (token: string): Promise<Verified> => {
    if (token.length > MAX_LENGTH) return { reason: "invalid" };
    const key = hash("sha256", token, "base64");
    const known = cache.get(key);
    if (known && Number(known.exp) * 1000 > clock.now()) return { claims: known };
    cache.delete(key);
    const verified = await verify(token, rules, clock);
    if ("claims" in verified) cache.set(key, verified.claims);
    if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value!);
    return verified;
  };
}

async function verify(token: string, rules: TokenRules, clock: Clock): Promise<Verified> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, rules.publicKey, {
      algorithms: ["RS256"],
      issuer: rules.issuer,
      currentDate: new Date(clock.now()),
      requiredClaims: ["exp", "iat", "sub", "token_use"],
    });
    if (protectedHeader.kid !== rules.keyId) return { reason: "invalid" };
    if (Number(payload.iat) * 1000 > clock.now() + SKEW_MS) return { reason: "invalid" };
    return rules.clients.has(String(clientOf(payload)))
      ? { claims: payload }
      : { reason: "invalid" };
  } catch (error) {
    return { reason: error instanceof errors.JWTExpired ? "expired" : "invalid" };
  }
}

/** An access token has no `aud`. */
function clientOf(claims: Claims): unknown {
  if (claims.token_use === "id") return claims.aud;
  return claims.token_use === "access" ? claims.client_id : undefined;
}
