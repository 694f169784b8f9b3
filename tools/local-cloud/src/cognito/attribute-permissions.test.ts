import {
  AdminUpdateUserAttributesCommand,
  ConfirmSignUpCommand,
  GetUserAttributeVerificationCodeCommand,
  GetUserCommand,
  SignUpCommand,
  UpdateUserAttributesCommand,
  VerifyUserAttributeCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { claimsOf, password, poolId, startTestPools } from "./cognito.fixture.ts";

type Pools = Awaited<ReturnType<typeof startTestPools>>;

let cognito: Pools;
let keepsOldAddress: Pools;
beforeAll(async () => {
  cognito = await startTestPools({ web: { writeAttributes: ["email", "name"] } });
  keepsOldAddress = await startTestPools({
    pool: {
      userAttributeUpdateSettings: { attributesRequireVerificationBeforeUpdates: ["email"] },
    },
    web: { readAttributes: ["email", "email_verified"] },
  });
});
afterAll(() => {
  cognito.stop();
  keepsOldAddress.stop();
});

const list = (attributes: Record<string, string>) =>
  Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));

const update = (AccessToken: string, attributes: Record<string, string>, pools = cognito) =>
  pools.sdk.send(
    new UpdateUserAttributesCommand({ AccessToken, UserAttributes: list(attributes) }),
  );

async function attributesOf(AccessToken: string, pools = cognito) {
  const { UserAttributes } = await pools.sdk.send(new GetUserCommand({ AccessToken }));
  return Object.fromEntries(UserAttributes!.map(({ Name, Value }) => [Name, Value]));
}

const unauthorized = {
  name: "NotAuthorizedException",
  message: "A client attempted to write unauthorized attribute",
};

describe("an attribute of one's own", () => {
  it("is never that an address is verified, also together with the address", async () => {
    const name = cognito.newUser();
    const { AccessToken } = await cognito.tokens(name);
    const attempts: Record<string, string>[] = [
      { email_verified: "true" },
      { email_verified: "false" },
      { phone_number_verified: "true" },
      { email: "victim@example.com", email_verified: "true" },
    ];
    for (const attributes of attempts)
      await expect(update(AccessToken!, attributes)).rejects.toMatchObject(unauthorized);
    expect(await attributesOf(AccessToken!)).toMatchObject({
      email: `${name}@example.com`,
      email_verified: "true",
    });
  });

  it("can be written only if the client may", async () => {
    const { AccessToken } = await cognito.tokens(cognito.newUser());
    await update(AccessToken!, { name: "Ann" });
    await expect(update(AccessToken!, { nickname: "ann" })).rejects.toMatchObject(unauthorized);
    const { IdToken } = await cognito.tokens("user1");
    expect(claimsOf(IdToken!)).not.toHaveProperty("nickname");
  });

  it("must be one of the pool's", async () => {
    const { AccessToken } = await cognito.tokens(cognito.newUser());
    await expect(update(AccessToken!, { "custom:role": "admin" })).rejects.toMatchObject({
      name: "InvalidParameterException",
      message:
        "Attributes did not conform to the schema: custom:role: Attribute does not exist in the schema.",
    });
    await expect(update(AccessToken!, { sub: "other" })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });

  it("cannot be set at sign-up either, unless the client may write it", async () => {
    const signUp = (attributes: Record<string, string>) =>
      cognito.sdk.send(
        new SignUpCommand({
          ClientId: "web",
          Username: "newcomer",
          Password: password,
          UserAttributes: list({ email: "newcomer@example.com", ...attributes }),
        }),
      );
    await expect(signUp({ email_verified: "true" })).rejects.toMatchObject(unauthorized);
    await expect(signUp({ nickname: "new" })).rejects.toMatchObject(unauthorized);
    await signUp({ name: "New" });
  });

  it("may be any for an administrator", async () => {
    const name = cognito.newUser();
    await cognito.as("admin").send(
      new AdminUpdateUserAttributesCommand({
        UserPoolId: poolId,
        Username: name,
        UserAttributes: list({ nickname: "n", email_verified: "false" }),
      }),
    );
    const { AccessToken } = await cognito.tokens(name);
    expect(await attributesOf(AccessToken!)).toMatchObject({
      nickname: "n",
      email_verified: "false",
    });
  });
});

describe("a changed address", () => {
  const verify = (AccessToken: string, Code: string, pools: Pools) =>
    pools.sdk.send(new VerifyUserAttributeCommand({ AccessToken, AttributeName: "email", Code }));

  it("is not verified, and no alias, until the code that was sent to it is given", async () => {
    const name = cognito.newUser();
    const { AccessToken } = await cognito.tokens(name);
    const { CodeDeliveryDetailsList } = await update(AccessToken!, { email: "moved@example.com" });
    expect(CodeDeliveryDetailsList).toMatchObject([{ Destination: "m***@e***" }]);
    const code = cognito.lastCode();
    expect(await attributesOf(AccessToken!)).toMatchObject({
      email: "moved@example.com",
      email_verified: "false",
    });
    await expect(cognito.signIn("moved@example.com")).rejects.toMatchObject({
      name: "NotAuthorizedException",
    });
    await expect(
      verify(AccessToken!, code === "000000" ? "000001" : "000000", cognito),
    ).rejects.toMatchObject({ name: "CodeMismatchException" });
    await verify(AccessToken!, code, cognito);
    await expect(cognito.signIn("moved@example.com")).resolves.toBeTruthy();
  });

  it("replaces the old one only when it is verified, if the pool says so", async () => {
    const pools = keepsOldAddress;
    const name = pools.newUser();
    const { AccessToken } = await pools.tokens(name);
    await update(AccessToken!, { email: "later@example.com" }, pools);
    expect(await attributesOf(AccessToken!, pools)).toMatchObject({
      email: `${name}@example.com`,
      email_verified: "true",
    });
    await verify(AccessToken!, pools.lastCode(), pools);
    expect(await attributesOf(AccessToken!, pools)).toMatchObject({
      email: "later@example.com",
      email_verified: "true",
    });
  });

  it("can have another code", async () => {
    const { AccessToken } = await cognito.tokens(cognito.newUser());
    await update(AccessToken!, { email: "again@example.com" });
    await cognito.sdk.send(
      new GetUserAttributeVerificationCodeCommand({ AccessToken, AttributeName: "email" }),
    );
    await verify(AccessToken!, cognito.lastCode(), cognito);
    expect(await attributesOf(AccessToken!)).toMatchObject({ email_verified: "true" });
  });

  it("cannot be that of another user", async () => {
    const taken = `${cognito.newUser()}@example.com`;
    const { AccessToken } = await cognito.tokens(cognito.newUser());
    await expect(update(AccessToken!, { email: taken })).rejects.toMatchObject({
      name: "AliasExistsException",
      message: "An account with the email already exists.",
    });
    // a sign-up may name it, because the address is not verified then
    await cognito.sdk.send(
      new SignUpCommand({
        ClientId: "web",
        Username: "imposter",
        Password: password,
        UserAttributes: list({ email: taken }),
      }),
    );
    const ConfirmationCode = cognito.lastCode();
    await expect(
      cognito.sdk.send(
        new ConfirmSignUpCommand({ ClientId: "web", Username: "imposter", ConfirmationCode }),
      ),
    ).rejects.toMatchObject({ name: "AliasExistsException" });
    await expect(cognito.signIn(taken)).resolves.toBeTruthy();
  });
});

it("a client sees only the attributes that it may read", async () => {
  const name = keepsOldAddress.newUser();
  await keepsOldAddress.as("admin").send(
    new AdminUpdateUserAttributesCommand({
      UserPoolId: poolId,
      Username: name,
      UserAttributes: list({ nickname: "secret" }),
    }),
  );
  const { AccessToken, IdToken } = await keepsOldAddress.tokens(name);
  expect(claimsOf(IdToken!)).toMatchObject({ email: `${name}@example.com` });
  expect(claimsOf(IdToken!)).not.toHaveProperty("nickname");
  expect(Object.keys(await attributesOf(AccessToken!, keepsOldAddress)).toSorted()).toEqual([
    "email",
    "email_verified",
    "sub",
  ]);
});
