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
const good = { iss: issuer, sub: "s", aud: "web", token_use: "id", iat: now, exp: now + 60 };

const sign = (claims: object, header: object = {}) =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "k1", ...header })
    .sign(privateKey);

describe("a token signed with the pool's own key", () => {
  it("is good as an ID token of a client, or as its access token", async () => {
    const { aud, ...rest } = good;
    expect(await verify(await sign(good))).toEqual({ claims: good });
    expect(
      await verify(await sign({ ...rest, token_use: "access", client_id: aud })),
    ).toHaveProperty("claims");
  });

  it.each<[string, object, object?]>([
    ["another algorithm", good, { alg: "RS512" }],
    ["another padding", good, { alg: "PS256" }],
    ["another key's name", good, { kid: "k2" }],
    ["another issuer", { ...good, iss: `${issuer}2` }],
    ["another client", { ...good, aud: "other" }],
    ["an access token that only has an audience", { ...good, token_use: "access" }],
    ["another use", { ...good, token_use: "refresh" }],
    ["no expiry", { ...good, exp: undefined }],
    ["a beginning in the future", { ...good, nbf: now + 300 }],
    ["an issue in the future", { ...good, iat: now + 300 }],
  ])("is refused with %s", async (_, claims, header) => {
    expect(await verify(await sign(claims, header))).toEqual({ reason: "invalid" });
  });

  it("is told from one that was good once", async () => {
    expect(await verify(await sign({ ...good, exp: now - 1 }))).toEqual({ reason: "expired" });
  });
});
