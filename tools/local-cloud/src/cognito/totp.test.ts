import {
  AdminSetUserMFAPreferenceCommand,
  AssociateSoftwareTokenCommand,
  DescribeUserPoolCommand,
  GetUserCommand,
  RespondToAuthChallengeCommand,
  SetUserMFAPreferenceCommand,
  VerifySoftwareTokenCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { TOTP } from "otpauth";
import { afterAll, beforeAll, expect, it } from "vitest";

import { claimsOf, password, poolId, startTestPools } from "./cognito.fixture.ts";

// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa-totp.html

let cognito: Awaited<ReturnType<typeof startTestPools>>;
let withoutMfa: typeof cognito;
beforeAll(async () => {
  cognito = await startTestPools({
    pool: { mfaConfiguration: "OPTIONAL", softwareTokenMfaConfiguration: { enabled: true } },
  });
  withoutMfa = await startTestPools();
});
afterAll(() => {
  cognito.stop();
  withoutMfa.stop();
});

const totpOf = (secret: string) => new TOTP({ secret });
const codeNow = (secret: string) => totpOf(secret).generate({ timestamp: cognito.clock.now() });
/** A code that no step near the present has. */
const wrongCode = (secret: string) => {
  const near = [-2, -1, 0, 1, 2].map((step) =>
    totpOf(secret).generate({ timestamp: cognito.clock.now() + step * 30_000 }),
  );
  return ["111111", "222222", "333333", "444444", "555555", "666666"].find(
    (code) => !near.includes(code),
  )!;
};

const nextStep = () => cognito.clock.advance(30_000);

/** Gives a new user an authenticator, and returns its name and secret. */
async function userWithTotp() {
  const name = cognito.newUser();
  const { AccessToken } = await cognito.tokens(name);
  const { SecretCode } = await cognito.sdk.send(new AssociateSoftwareTokenCommand({ AccessToken }));
  const verify = (UserCode: string) =>
    cognito.sdk.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode }));
  const prefer = () =>
    cognito.sdk.send(
      new SetUserMFAPreferenceCommand({
        AccessToken,
        SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true },
      }),
    );
  await expect(prefer()).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: "User has not verified software token mfa",
  });
  await expect(verify(wrongCode(SecretCode!))).rejects.toMatchObject({
    name: "EnableSoftwareTokenMFAException",
    message: "Code mismatch",
  });
  expect((await verify(codeNow(SecretCode!))).Status).toBe("SUCCESS");
  // not asked for before it is preferred
  expect((await cognito.signIn(name)).AuthenticationResult).toBeDefined();
  await prefer();
  await nextStep();
  return { name, secret: SecretCode!, AccessToken };
}

const respond = (Session: string | undefined, USERNAME: string, code: string) =>
  cognito.sdk.send(
    new RespondToAuthChallengeCommand({
      ClientId: "web",
      ChallengeName: "SOFTWARE_TOKEN_MFA",
      Session,
      ChallengeResponses: { USERNAME, SOFTWARE_TOKEN_MFA_CODE: code },
    }),
  );

it("a password alone does not sign in a user with an authenticator; its code does, once", async () => {
  const { name, secret, AccessToken } = await userWithTotp();
  const user = await cognito.sdk.send(new GetUserCommand({ AccessToken }));
  expect(user.UserMFASettingList).toEqual(["SOFTWARE_TOKEN_MFA"]);
  expect(user.PreferredMfaSetting).toBe("SOFTWARE_TOKEN_MFA");

  const first = await cognito.signIn(name);
  expect(first.AuthenticationResult).toBeUndefined();
  expect(first.ChallengeName).toBe("SOFTWARE_TOKEN_MFA");
  await expect(respond(first.Session, name, wrongCode(secret))).rejects.toMatchObject({
    name: "CodeMismatchException",
  });
  const code = codeNow(secret);
  const { AuthenticationResult } = await respond(first.Session, name, code);
  expect(claimsOf(AuthenticationResult!.IdToken!)).toMatchObject({ "cognito:username": name });

  const second = await cognito.signIn(name);
  await expect(respond(second.Session, name, code)).rejects.toMatchObject({
    name: "ExpiredCodeException",
    message: "Your software token has already been used once.",
  });
  await nextStep();
  await respond(second.Session, name, codeNow(secret));
});

it("wrong codes lock out as wrong passwords do", async () => {
  const { name, secret } = await userWithTotp();
  const { Session } = await cognito.signIn(name);
  for (let at = 0; at < 5; at++)
    await expect(respond(Session, name, wrongCode(secret))).rejects.toMatchObject({
      name: "CodeMismatchException",
    });
  await expect(respond(Session, name, codeNow(secret))).rejects.toMatchObject({
    message: "Password attempts exceeded",
  });
  // the password of a user that has an authenticator resets nothing
  await expect(cognito.signIn(name)).rejects.toMatchObject({
    message: "Password attempts exceeded",
  });
});

it("the code belongs to the user that gave the password", async () => {
  const [victim, other] = [await userWithTotp(), await userWithTotp()];
  const { Session } = await cognito.signIn(victim.name);
  await expect(respond(Session, other.name, codeNow(other.secret))).rejects.toMatchObject({
    name: "CodeMismatchException",
  });
  await expect(respond("made-up", victim.name, codeNow(victim.secret))).rejects.toMatchObject({
    message: "Invalid session for the user.",
  });
});

it("AWS's browser library signs in with a code after SRP, also after a restart", async () => {
  const { name, secret } = await userWithTotp();
  await cognito.restart();
  const token = await cognito.signInBySrp(name, password, () => codeNow(secret));
  expect(claimsOf(token)).toMatchObject({ "cognito:username": name });
});

it("an operator removes the authenticator of a user that lost it", async () => {
  const { name } = await userWithTotp();
  await cognito.as("admin").send(
    new AdminSetUserMFAPreferenceCommand({
      UserPoolId: poolId,
      Username: name,
      SoftwareTokenMfaSettings: { Enabled: false },
    }),
  );
  expect((await cognito.signIn(name)).AuthenticationResult).toBeDefined();
});

it("is described, and refused where the pool has none", async () => {
  const { UserPool } = await cognito
    .as("admin")
    .send(new DescribeUserPoolCommand({ UserPoolId: poolId }));
  expect(UserPool?.MfaConfiguration).toBe("OPTIONAL");
  const { AccessToken } = await withoutMfa.tokens(withoutMfa.newUser());
  await expect(
    withoutMfa.sdk.send(new AssociateSoftwareTokenCommand({ AccessToken })),
  ).rejects.toMatchObject({ name: "SoftwareTokenMFANotFoundException" });
});
