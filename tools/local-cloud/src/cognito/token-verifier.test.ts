import { generateKeyPairSync } from "node:crypto";

import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";

import { createClock } from "../clock.ts";
import { createVerifier } from "./token-verifier.ts";

const issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Pool";
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const clock = createClock();
const verify = createVerifier({ issuer, keyId: "k1", publicKey, clients: new Set(["web"]) }, clock);
const now = Math.floor(clock.now() / 1000);
const validClaims = { iss: issuer, sub: "s", aud: "web", token_use: "id", iat: now, exp: now + 60 };

const sign = (claims: object, header: object = {}) =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "k1", ...header })
    .sign(privateKey);

describe("a token signed with the pool's own key", () => {
  it("is valid as an ID token and as an access token of a client", async () => {
    const { aud, ...rest } = validClaims;
    expect(await verify(await sign(validClaims))).toEqual({ claims: validClaims });
    expect(
      await verify(await sign({ ...rest, token_use: "access", client_id: aud })),
    ).toHaveProperty("claims");
  });

  it.each<[string, object, object?]>([
    ["another algorithm", validClaims, { alg: "RS512" }],
    ["another padding", validClaims, { alg: "PS256" }],
    ["another key's name", validClaims, { kid: "k2" }],
    ["another issuer", { ...validClaims, iss: `${issuer}2` }],
    ["another client", { ...validClaims, aud: "other" }],
    ["an access token that only has an audience", { ...validClaims, token_use: "access" }],
    ["another use", { ...validClaims, token_use: "refresh" }],
    ["no expiry", { ...validClaims, exp: undefined }],
    ["a not-before time in the future", { ...validClaims, nbf: now + 300 }],
    ["an issue time in the future", { ...validClaims, iat: now + 300 }],
  ])("is refused with %s", async (_, claims, header) => {
    expect(await verify(await sign(claims, header))).toEqual({ reason: "invalid" });
  });

  it("is reported as expired after its expiry", async () => {
    expect(await verify(await sign({ ...validClaims, exp: now - 1 }))).toEqual({
      reason: "expired",
    });
  });
});
