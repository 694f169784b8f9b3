import {
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { password, startTestPools } from "./cognito.fixture.ts";

let cognito: Awaited<ReturnType<typeof startTestPools>>;
beforeAll(async () => {
  cognito = await startTestPools();
});
afterAll(() => cognito.stop());

const wrong = { name: "NotAuthorizedException", message: "Incorrect username or password." };
const locked = { name: "NotAuthorizedException", message: "Password attempts exceeded" };

async function failTimes(name: string, times: number) {
  for (let at = 0; at < times; at++)
    await expect(cognito.signIn(name, "wrong")).rejects.toMatchObject(wrong);
}

// https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html#authentication-flow-lockout-behavior
describe("failed sign-ins", () => {
  it("lock a user out after the fifth, twice as long each time", async () => {
    const name = cognito.newUser();
    await failTimes(name, 5);
    for (const seconds of [1, 2, 4, 8]) {
      // the right password is refused too, and an attempt while locked does not lengthen it
      await expect(cognito.signIn(name)).rejects.toMatchObject(locked);
      await cognito.clock.advance(seconds * 1000 - 500);
      await expect(cognito.signIn(name, "wrong")).rejects.toMatchObject(locked);
      await cognito.clock.advance(500);
      await failTimes(name, 1);
    }
    await cognito.clock.advance(16_000);
    await expect(cognito.signIn(name)).resolves.toBeTruthy();
    // a sign-in resets the count
    await failTimes(name, 5);
    await expect(cognito.signIn(name)).rejects.toMatchObject(locked);
  });

  it("lock out for 15 minutes at most, and are forgotten after 15 minutes without an attempt", async () => {
    const name = cognito.newUser();
    await failTimes(name, 5);
    for (let seconds = 1; seconds <= 512; seconds *= 2) {
      await cognito.clock.advance(seconds * 1000);
      await failTimes(name, 1);
    }
    await cognito.clock.advance(899_000);
    await expect(cognito.signIn(name)).rejects.toMatchObject(locked);
    await cognito.clock.advance(1_000);
    await failTimes(name, 1);
    await cognito.clock.advance(900_001);
    await failTimes(name, 4);
    await expect(cognito.signIn(name)).resolves.toBeTruthy();
  });

  it("are counted over aliases, flows and a restart", async () => {
    const name = cognito.newUser();
    await failTimes(name, 2);
    await failTimes(`${name}@example.com`, 1);
    for (let at = 0; at < 2; at++)
      await expect(cognito.signInBySrp(name.toUpperCase(), "wrong")).rejects.toMatchObject({
        message: wrong.message,
      });
    await cognito.restart();
    await expect(cognito.signInBySrp(name, password)).rejects.toMatchObject({
      code: "NotAuthorizedException",
      message: locked.message,
    });
  });

  it("lock an unknown name out as well, so that they do not tell who exists", async () => {
    await failTimes("unknown", 5);
    await expect(cognito.signIn("Unknown")).rejects.toMatchObject(locked);
  });
});

// "between 5 and 20 attempts" in an hour:
// https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
describe("codes of a forgotten password", () => {
  const forgot = (Username: string) =>
    cognito.sdk.send(new ForgotPasswordCommand({ ClientId: "web", Username }));
  const confirm = (Username: string) =>
    cognito.sdk.send(
      new ConfirmForgotPasswordCommand({
        ClientId: "web",
        Username,
        ConfirmationCode: "nonsense",
        Password: password,
      }),
    );
  const exceeded = {
    name: "LimitExceededException",
    message: "Attempt limit exceeded, please try after some time.",
  };

  it("cannot be guessed: a user and an unknown name have 20 attempts in an hour", async () => {
    for (const name of [cognito.newUser(), "unknown-too"]) {
      await forgot(name);
      for (let at = 1; at < 20; at++)
        await expect(confirm(name)).rejects.toMatchObject({ name: "CodeMismatchException" });
      await expect(confirm(name)).rejects.toMatchObject(exceeded);
      await expect(forgot(name)).rejects.toMatchObject(exceeded);
      await cognito.clock.advance(3_600_001);
      await forgot(name);
    }
  });
});
