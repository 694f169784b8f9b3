import { type KeyObject, hash } from "node:crypto";

import { errors, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";

import type { Clock } from "../clock.ts";

export type Claims = Record<string, unknown>;

/** The claims of a valid token, or why it is not valid. */
export type Verified = { claims: Claims } | { reason: "expired" | "invalid" };

export type TokenRules = {
  issuer: string;
  keyId: string;
  publicKey: KeyObject;
  /** The ids of the pool's clients. */
  clients: ReadonlySet<string>;
};

// longer than any token that Cognito issues; longer ones are rejected without parsing
const MAX_TOKEN_LENGTH = 8_192;
// how far the clock of the issuer may be ahead
const SKEW_MS = 60_000;
const MAX_CACHED_TOKENS = 10_000;

/**
 * Returns a function that verifies ID and access tokens of a pool: algorithm RS256, the pool's key, issuer, times, use and
 * client. Like API Gateway it does not check whether a token was revoked.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
 */
export function createVerifier(rules: TokenRules, clock: Clock) {
  // checking the signature is slow, and a valid token stays valid until it expires
  const cache = new LRUCache<string, Claims>({ max: MAX_CACHED_TOKENS });

  return async (token: string): Promise<Verified> => {
    if (token.length > MAX_TOKEN_LENGTH) return { reason: "invalid" };
    const key = hash("sha256", token, "base64");
    const cached = cache.get(key);
    if (cached && Number(cached.exp) * 1000 > clock.now()) return { claims: cached };
    cache.delete(key);
    const verified = await verifyToken(token, rules, clock);
    if ("claims" in verified) cache.set(key, verified.claims);
    return verified;
  };
}

async function verifyToken(token: string, rules: TokenRules, clock: Clock): Promise<Verified> {
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
