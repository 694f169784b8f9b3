import {
  AdminDisableUserCommand,
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { password, poolId, startTestPools } from "./cognito.fixture.ts";

// what a client with `preventUserExistenceErrors: ENABLED` answers, by
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html

let cognito: Awaited<ReturnType<typeof startTestPools>>;
beforeAll(async () => {
  cognito = await startTestPools();
});
afterAll(() => cognito.stop());

const forgot = (Username: string) =>
  cognito.sdk.send(new ForgotPasswordCommand({ ClientId: "web", Username }));

const resend = (Username: string) =>
  cognito.sdk.send(new ResendConfirmationCodeCommand({ ClientId: "web", Username }));

async function disabledUser() {
  const name = cognito.newUser();
  await cognito
    .as("admin")
    .send(new AdminDisableUserCommand({ UserPoolId: poolId, Username: name }));
  return name;
}

/** Creates a user whose address is not verified. */
async function unconfirmedUser(name: string) {
  await cognito.sdk.send(
    new SignUpCommand({
      ClientId: "web",
      Username: name,
      Password: password,
      UserAttributes: [{ Name: "email", Value: `${name}@example.com` }],
    }),
  );
  return name;
}

describe("a forgotten password", () => {
  it("is answered alike for a user, an unknown name, a disabled user and one without a verified address", async () => {
    const names = [
      cognito.newUser(),
      "unknown",
      await disabledUser(),
      await unconfirmedUser("unverified"),
    ];
    for (const name of names)
      expect((await forgot(name)).CodeDeliveryDetails).toEqual({
        AttributeName: "email",
        DeliveryMedium: "EMAIL",
        Destination: expect.stringMatching(/^[a-z]\*{3}@[a-z]\*{3}$/),
      });
  });

  it("has the same simulated destination each time, and that of an address if one is given", async () => {
    const [first, second] = [await forgot("absent"), await forgot("ABSENT")];
    expect(second.CodeDeliveryDetails).toEqual(first.CodeDeliveryDetails);
    const { CodeDeliveryDetails } = await forgot("absent@mail.example");
    expect(CodeDeliveryDetails?.Destination).toBe("a***@m***");
  });

  it("sends a code to a user only", async () => {
    const before = cognito.logged.length;
    await forgot("nothing-here");
    expect(cognito.logged).toHaveLength(before);
    await forgot(cognito.newUser());
    expect(cognito.logged).toHaveLength(before + 1);
  });

  it("cannot be reset with a code for an unknown or disabled user", async () => {
    for (const Username of ["unknown", await disabledUser()])
      await expect(
        cognito.sdk.send(
          new ConfirmForgotPasswordCommand({
            ClientId: "web",
            Username,
            ConfirmationCode: "123456",
            Password: password,
          }),
        ),
      ).rejects.toMatchObject({ name: "CodeMismatchException" });
  });
});

it("a confirmation code is announced alike for an unknown name, a disabled user and one that waits for it", async () => {
  const delivered = {
    AttributeName: "email",
    DeliveryMedium: "EMAIL",
    Destination: expect.stringMatching(/^[a-z]\*{3}@[a-z]\*{3}$/),
  };
  for (const name of ["unknown", await disabledUser(), await unconfirmedUser("waiting")])
    expect((await resend(name)).CodeDeliveryDetails).toEqual(delivered);
});

describe("the first half of SRP", () => {
  const begin = async (USERNAME: string) => {
    const { ChallengeName, ChallengeParameters } = await cognito.sdk.send(
      new InitiateAuthCommand({
        ClientId: "web",
        AuthFlow: "USER_SRP_AUTH",
        AuthParameters: { USERNAME, SRP_A: "a".repeat(768) },
      }),
    );
    expect(ChallengeName).toBe("PASSWORD_VERIFIER");
    return ChallengeParameters!;
  };

  it("has the same salt and user each time for an unknown name, in any case", async () => {
    for (const name of ["unknown", "Unknown@example.com"]) {
      const [first, second] = [await begin(name), await begin(name.toUpperCase())];
      expect(second.SALT).toBe(first.SALT);
      expect(second.USER_ID_FOR_SRP).toBe(first.USER_ID_FOR_SRP);
      expect(first.SALT).toMatch(/^[0-9a-f]{20,32}$/);
    }
    expect((await begin("unknown")).SALT).not.toBe((await begin("unknown2")).SALT);
  });

  it("has the same parameters for an unknown address and for a user's", async () => {
    const name = cognito.newUser();
    const [known, unknown] = [await begin(`${name}@example.com`), await begin("nil@example.com")];
    expect(Object.keys(unknown)).toEqual(Object.keys(known));
    // never the address itself, which a user's answer does not have either
    expect(JSON.stringify(unknown)).not.toContain("nil@example.com");
  });

  it("keeps an unknown name's salt over a restart, and no client can compute it", async () => {
    const { SALT } = await begin("unknown");
    await cognito.restart();
    expect((await begin("unknown")).SALT).toBe(SALT);
    const other = await startTestPools();
    try {
      const { ChallengeParameters } = await other.sdk.send(
        new InitiateAuthCommand({
          ClientId: "web",
          AuthFlow: "USER_SRP_AUTH",
          AuthParameters: { USERNAME: "unknown", SRP_A: "a".repeat(768) },
        }),
      );
      expect(ChallengeParameters!.SALT).not.toBe(SALT);
    } finally {
      other.stop();
    }
  });

  it("ends in the same error for an unknown name and a wrong proof", async () => {
    for (const name of [cognito.newUser(), "unknown", "unknown@example.com"]) {
      const { SECRET_BLOCK, USER_ID_FOR_SRP } = await begin(name);
      await expect(
        cognito.sdk.send(
          new RespondToAuthChallengeCommand({
            ClientId: "web",
            ChallengeName: "PASSWORD_VERIFIER",
            ChallengeResponses: {
              USERNAME: USER_ID_FOR_SRP!,
              PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK!,
              PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString("base64"),
              TIMESTAMP: "Mon Jan 5 10:00:00 UTC 2026",
            },
          }),
        ),
      ).rejects.toMatchObject({
        name: "NotAuthorizedException",
        message: "Incorrect username or password.",
      });
    }
  });
});

it("a name in the form of an address is refused where addresses are aliases", async () => {
  await expect(unconfirmedUser("ann@example.com")).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: "Username cannot be of email format, since user pool is configured for email alias.",
  });
});
