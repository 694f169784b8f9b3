import { createSign, generateKeyPairSync } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

import {
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminGetUserCommand,
  AdminSetUserPasswordCommand,
  ChangePasswordCommand,
  type CognitoIdentityProviderClient,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  DescribeUserPoolClientCommand,
  DescribeUserPoolCommand,
  ForgotPasswordCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ListDevicesCommand,
  ListUserPoolClientsCommand,
  ListUserPoolsCommand,
  ListUsersCommand,
  ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  arn,
  claimsOf,
  otherPoolId,
  password,
  poolId,
  region,
  startTestPools,
} from "./cognito.fixture.ts";

let cognito: Awaited<ReturnType<typeof startTestPools>>;
beforeAll(async () => {
  cognito = await startTestPools();
});
afterAll(() => cognito.stop());

const newUser = () => cognito.newUser();
const signIn: typeof cognito.signIn = (...given) => cognito.signIn(...given);
const tokens = (name: string) => cognito.tokens(name);
const lastCode = () => cognito.lastCode();

describe("signing in with a password", () => {
  it("gives tokens with Cognito's claims", async () => {
    const name = newUser();
    const { IdToken, AccessToken, RefreshToken, ExpiresIn, TokenType } = await tokens(name);
    expect([ExpiresIn, TokenType, typeof RefreshToken]).toEqual([3600, "Bearer", "string"]);
    const id = claimsOf(IdToken!);
    const access = claimsOf(AccessToken!);
    const iss = `https://cognito-idp.${region}.amazonaws.com/${poolId}`;
    expect(id).toMatchObject({
      iss,
      aud: "web",
      token_use: "id",
      "cognito:username": name,
      email: `${name}@example.com`,
      email_verified: true,
    });
    expect(access).toMatchObject({
      iss,
      client_id: "web",
      token_use: "access",
      username: name,
      sub: id.sub,
    });
    expect(access.scope).toContain("aws.cognito.signin.user.admin");
    expect(access).not.toHaveProperty("aud");
    expect(id.exp - id.iat).toBe(3600);
  });

  it("accepts the email address and ignores case", async () => {
    const name = newUser();
    await expect(signIn(`${name.toUpperCase()}@Example.com`)).resolves.toHaveProperty(
      "AuthenticationResult.IdToken",
    );
  });

  it("answers a wrong password and an unknown user alike", async () => {
    for (const attempt of [signIn(newUser(), "wrong"), signIn("unknown")])
      await expect(attempt).rejects.toMatchObject({
        name: "NotAuthorizedException",
        message: "Incorrect username or password.",
      });
  });

  it("is refused by a client that does not allow it", async () => {
    await expect(signIn(newUser(), password, "srp-only")).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "USER_PASSWORD_AUTH flow not enabled for this client",
    });
    await expect(signIn("x", "x", "none")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("is refused to a disabled user, whose session ends too", async () => {
    const name = newUser();
    const { AccessToken } = await tokens(name);
    await cognito
      .as("admin")
      .send(new AdminDisableUserCommand({ UserPoolId: poolId, Username: name }));
    await expect(signIn(name)).rejects.toMatchObject({
      name: "NotAuthorizedException",
      message: "User is disabled.",
    });
    await expect(cognito.sdk.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject({
      name: "NotAuthorizedException",
    });
  });
});

describe("signing in by SRP, as AWS's browser library does", () => {
  it("proves the password without sending it", async () => {
    const name = newUser();
    expect(claimsOf(await cognito.signInBySrp(name, password))).toMatchObject({
      "cognito:username": name,
    });
    expect(claimsOf(await cognito.signInBySrp(`${name}@example.com`, password))).toMatchObject({
      "cognito:username": name,
    });
  });

  it("rejects a wrong password and an unknown user with the same error", async () => {
    for (const attempt of [
      cognito.signInBySrp(newUser(), "wrong"),
      cognito.signInBySrp("unknown", password),
    ])
      await expect(attempt).rejects.toMatchObject({
        code: "NotAuthorizedException",
        message: "Incorrect username or password.",
      });
  });
});

describe("signing up", () => {
  it("needs a password that follows the policy, a new name and the code", async () => {
    const signUp = (Password: string) =>
      cognito.sdk.send(
        new SignUpCommand({
          ClientId: "web",
          Username: "Newcomer",
          Password,
          UserAttributes: [{ Name: "email", Value: "new@example.com" }],
        }),
      );
    await expect(signUp("Short1")).rejects.toMatchObject({
      name: "InvalidPasswordException",
      message: "Password did not conform with policy: Password not long enough",
    });
    await expect(signUp("alllowercase1")).rejects.toMatchObject({
      message: "Password did not conform with policy: Password must have uppercase characters",
    });
    const { UserConfirmed, CodeDeliveryDetails } = await signUp(password);
    expect([UserConfirmed, CodeDeliveryDetails?.Destination]).toEqual([false, "n***@e***"]);
    await expect(signUp(password)).rejects.toMatchObject({ name: "UsernameExistsException" });
    await expect(signIn("newcomer")).rejects.toMatchObject({ name: "UserNotConfirmedException" });

    const confirm = (ConfirmationCode: string) =>
      cognito.sdk.send(
        new ConfirmSignUpCommand({ ClientId: "web", Username: "newcomer", ConfirmationCode }),
      );
    const code = lastCode();
    await expect(confirm(code === "000000" ? "000001" : "000000")).rejects.toMatchObject({
      name: "CodeMismatchException",
    });
    await confirm(code);
    await expect(signIn("new@example.com")).resolves.toHaveProperty("AuthenticationResult.IdToken");
  });

  it("by an administrator ends with a password that the user chooses", async () => {
    const admin = cognito.as("admin");
    const create = (TemporaryPassword: string) =>
      admin.send(
        new AdminCreateUserCommand({ UserPoolId: poolId, Username: "guest", TemporaryPassword }),
      );
    await expect(create("short")).rejects.toMatchObject({ name: "InvalidPasswordException" });
    await create("Temporary-pass-1");
    const { ChallengeName, Session } = await signIn("guest", "Temporary-pass-1");
    expect(ChallengeName).toBe("NEW_PASSWORD_REQUIRED");
    const respond = new RespondToAuthChallengeCommand({
      ClientId: "web",
      ChallengeName,
      Session,
      ChallengeResponses: { USERNAME: "guest", NEW_PASSWORD: password },
    });
    expect((await cognito.sdk.send(respond)).AuthenticationResult?.AccessToken).toBeTruthy();
    const { UserStatus, Enabled } = await admin.send(
      new AdminGetUserCommand({ UserPoolId: poolId, Username: "guest" }),
    );
    expect([UserStatus, Enabled]).toEqual(["CONFIRMED", true]);
    // a session can be used once
    await expect(cognito.sdk.send(respond)).rejects.toMatchObject({
      name: "NotAuthorizedException",
      message: "Invalid session for the user.",
    });
  });

  it("needs a code of the last 24 hours", async () => {
    const Username = "latecomer";
    await cognito.sdk.send(
      new SignUpCommand({
        ClientId: "web",
        Username,
        Password: password,
        UserAttributes: [{ Name: "email", Value: "late@example.com" }],
      }),
    );
    const confirm = (ConfirmationCode: string) =>
      cognito.sdk.send(new ConfirmSignUpCommand({ ClientId: "web", Username, ConfirmationCode }));
    const expired = lastCode();
    await cognito.clock.advance(24 * 3_600_000 + 1);
    await expect(confirm(expired)).rejects.toMatchObject({ name: "ExpiredCodeException" });
    await cognito.sdk.send(new ResendConfirmationCodeCommand({ ClientId: "web", Username }));
    await cognito.clock.advance(23 * 3_600_000);
    await confirm(lastCode());
    await expect(signIn(Username)).resolves.toHaveProperty("AuthenticationResult.IdToken");
  });
});

describe("administration", () => {
  const set = (caller: CognitoIdentityProviderClient, Username: string) =>
    caller.send(
      new AdminSetUserPasswordCommand({
        UserPoolId: poolId,
        Username,
        Password: "Another-pass-1",
        Permanent: true,
      }),
    );

  it("needs the permission of a signed request", async () => {
    const name = newUser();
    await expect(set(cognito.as("unrelated"), name)).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(set(cognito.sdk, name)).rejects.toMatchObject({
      name: "UnrecognizedClientException",
    });
    await set(cognito.as("admin"), name);
    await expect(signIn(name)).rejects.toMatchObject({ name: "NotAuthorizedException" });
    await expect(signIn(name, "Another-pass-1")).resolves.toBeTruthy();
  });

  it("describes the pool and its clients from the graph", async () => {
    const admin = cognito.as("admin");
    const { UserPool } = await admin.send(new DescribeUserPoolCommand({ UserPoolId: poolId }));
    expect(UserPool).toMatchObject({
      Id: poolId,
      Arn: arn,
      AliasAttributes: ["email"],
      MfaConfiguration: "OFF",
      Policies: { PasswordPolicy: { MinimumLength: 12, RequireSymbols: false } },
    });
    const { UserPools } = await admin.send(new ListUserPoolsCommand({ MaxResults: 10 }));
    expect(UserPools).toMatchObject([{ Id: poolId, Name: UserPool?.Name }, { Id: otherPoolId }]);
    const { UserPoolClient } = await admin.send(
      new DescribeUserPoolClientCommand({ UserPoolId: poolId, ClientId: "srp-only" }),
    );
    expect(UserPoolClient).toMatchObject({
      ClientId: "srp-only",
      ExplicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
      AccessTokenValidity: 3600,
      TokenValidityUnits: { AccessToken: "seconds" },
    });
    const { UserPoolClients } = await admin.send(
      new ListUserPoolClientsCommand({ UserPoolId: poolId, MaxResults: 1 }),
    );
    expect(UserPoolClients).toEqual([{ UserPoolId: poolId, ClientId: "web", ClientName: "web" }]);
    await expect(
      cognito.as("unrelated").send(new DescribeUserPoolCommand({ UserPoolId: poolId })),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
    for (const ClientId of ["none", "of-other-pool"])
      await expect(
        admin.send(new DescribeUserPoolClientCommand({ UserPoolId: poolId, ClientId })),
      ).rejects.toMatchObject({
        name: "ResourceNotFoundException",
        message: `User pool client ${ClientId} does not exist.`,
      });
  });

  it("rejects an action that is not emulated by its name", async () => {
    await expect(
      cognito.sdk.send(new ListDevicesCommand({ AccessToken: "x" })),
    ).rejects.toMatchObject({
      name: "UnknownOperationException",
      message: "cognito-idp:ListDevices is not emulated",
    });
  });
});

describe("a session", () => {
  const refresh = (REFRESH_TOKEN: string, ClientId = "web") =>
    cognito.sdk.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: "REFRESH_TOKEN_AUTH",
        AuthParameters: { REFRESH_TOKEN },
      }),
    );

  it("continues with its refresh token until the token is revoked", async () => {
    const { RefreshToken, AccessToken } = await tokens(newUser());
    const renewed = (await refresh(RefreshToken!)).AuthenticationResult!;
    expect(claimsOf(renewed.AccessToken!).origin_jti).toBe(claimsOf(AccessToken!).origin_jti);
    expect(renewed.RefreshToken).toBeUndefined();
    await expect(refresh(RefreshToken!, "srp-only")).rejects.toMatchObject({
      name: "NotAuthorizedException",
    });
    await cognito.sdk.send(new RevokeTokenCommand({ ClientId: "web", Token: RefreshToken }));
    await expect(refresh(RefreshToken!)).rejects.toMatchObject({ name: "NotAuthorizedException" });
    await expect(cognito.sdk.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject({
      message: "Access Token has been revoked",
    });
  });

  it("ends at a global sign-out, although a gateway accepts its tokens until they expire", async () => {
    const name = newUser();
    const { RefreshToken, AccessToken, IdToken } = await tokens(name);
    expect((await cognito.sdk.send(new GetUserCommand({ AccessToken }))).Username).toBe(name);
    await cognito.sdk.send(new GlobalSignOutCommand({ AccessToken }));
    await expect(refresh(RefreshToken!)).rejects.toMatchObject({ name: "NotAuthorizedException" });
    expect(await cognito.pools.verify(IdToken!, arn)).toHaveProperty("claims");
  });

  it("changes a known password and resets a forgotten one", async () => {
    const name = newUser();
    const { AccessToken } = await tokens(name);
    const change = (PreviousPassword: string) =>
      cognito.sdk.send(
        new ChangePasswordCommand({
          AccessToken,
          PreviousPassword,
          ProposedPassword: "Another-pass-2",
        }),
      );
    await expect(change("wrong")).rejects.toMatchObject({ name: "NotAuthorizedException" });
    await change(password);
    const requestCode = async () => {
      await cognito.sdk.send(new ForgotPasswordCommand({ ClientId: "web", Username: name }));
      return lastCode();
    };
    const confirm = (ConfirmationCode: string) =>
      cognito.sdk.send(
        new ConfirmForgotPasswordCommand({
          ClientId: "web",
          Username: name,
          ConfirmationCode,
          Password: "Another-pass-3",
        }),
      );
    const expired = await requestCode();
    await cognito.clock.advance(3_600_001);
    await expect(confirm(expired)).rejects.toMatchObject({ name: "ExpiredCodeException" });
    const code = await requestCode();
    await cognito.clock.advance(59 * 60_000);
    await confirm(code);
    await expect(confirm(code)).rejects.toMatchObject({ name: "ExpiredCodeException" });
    await expect(signIn(name, "Another-pass-3")).resolves.toBeTruthy();
  });

  it("survives a restart together with the signing key", async () => {
    const { AccessToken, RefreshToken, IdToken } = await tokens(newUser());
    await cognito.restart();
    expect(await cognito.pools.verify(IdToken!, arn)).toHaveProperty("claims.token_use", "id");
    await expect(cognito.sdk.send(new GetUserCommand({ AccessToken }))).resolves.toBeTruthy();
    await expect(refresh(RefreshToken!)).resolves.toBeTruthy();
  });
});

describe("verifying a token", () => {
  const reason = async (token: string, poolArn = arn) => cognito.pools.verify(token, poolArn);

  it("accepts a token that the published key verifies", async () => {
    const { IdToken } = await tokens(newUser());
    const jwks = await fetch(`${cognito.endpoint}/${poolId}/.well-known/jwks.json`);
    const { keys } = (await jwks.json()) as { keys: Record<string, string>[] };
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0]!).toSorted()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
    const header = JSON.parse(Buffer.from(IdToken!.split(".")[0]!, "base64url").toString());
    expect(header).toEqual({ alg: "RS256", kid: keys[0]!.kid });
    expect(await reason(IdToken!)).toHaveProperty("claims");
  });

  it("rejects another algorithm, key, pool and signature", async () => {
    const { IdToken } = await tokens(newUser());
    const [head = "", body = "", signature = ""] = IdToken!.split(".");
    const header = JSON.parse(Buffer.from(head, "base64url").toString());
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const signed = (value: string) =>
      `${value}.${createSign("sha256").update(value).sign(privateKey, "base64url")}`;
    const bad = [
      `${encode({ ...header, alg: "none" })}.${body}.`,
      `${encode({ ...header, alg: "HS256" })}.${body}.${signature}`,
      signed(`${head}.${body}`),
      `${head}.${encode({ ...claimsOf(IdToken!), sub: "other" })}.${signature}`,
      `${head}.${body}`,
      "",
      "x".repeat(10_000),
    ];
    for (const token of bad) expect(await reason(token)).toEqual({ reason: "invalid" });
    expect(await reason(IdToken!, `${arn}x`)).toEqual({ reason: "invalid" });
  });

  it("reports a cached token as expired when the clock passes its expiry", async () => {
    const { IdToken } = await tokens(newUser());
    expect(await reason(IdToken!)).toHaveProperty("claims");
    await cognito.clock.advance(3_601_000);
    expect(await reason(IdToken!)).toEqual({ reason: "expired" });
  });
});

describe("over HTTP", () => {
  it("allows every origin and publishes the pool's configuration", async () => {
    const preflight = await fetch(cognito.endpoint, { method: "OPTIONS" });
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("x-amz-target");
    const wrong = await fetch(cognito.endpoint, { method: "POST", body: "{" });
    expect([wrong.status, wrong.headers.get("access-control-allow-origin")]).toEqual([400, "*"]);
    const about = await fetch(`${cognito.endpoint}/${poolId}/.well-known/openid-configuration`);
    expect(await about.json()).toMatchObject({
      issuer: `https://cognito-idp.${region}.amazonaws.com/${poolId}`,
    });
  });

  it("stores no password", () => {
    const db = new DatabaseSync(cognito.statePath);
    const rows = db.prepare("SELECT body FROM identity_users").all();
    db.close();
    expect(rows.length).toBeGreaterThan(5);
    expect(JSON.stringify(rows)).not.toContain(password);
  });
});

describe("ListUsers", () => {
  it("finds users by an attribute, at most as many as the limit", async () => {
    const client = cognito.as("admin");
    const ids = new Map<string, string>();
    for (const name of ["lister-one", "lister-two"]) {
      const { User } = await client.send(
        new AdminCreateUserCommand({ UserPoolId: poolId, Username: name }),
      );
      ids.set(name, User!.Attributes!.find(({ Name }) => Name === "sub")!.Value!);
    }
    const list = async (Filter: string, Limit?: number) =>
      (await client.send(new ListUsersCommand({ UserPoolId: poolId, Filter, Limit }))).Users!.map(
        ({ Username }) => Username,
      );
    expect(await list(`sub = "${ids.get("lister-two")}"`)).toEqual(["lister-two"]);
    expect(await list(`sub = "none"`)).toEqual([]);
    expect(await list(`username ^= "lister-"`)).toHaveLength(2);
    expect(await list(`username ^= "lister-"`, 1)).toHaveLength(1);
    await expect(list("sub like one")).rejects.toMatchObject({ name: "InvalidParameterException" });
  });
});
