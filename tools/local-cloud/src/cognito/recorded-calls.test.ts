import {
  AdminDeleteUserCommand,
  AdminGetUserCommand,
  DeleteUserCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, expect, test } from "vitest";

import { claimsOf, poolId, startTestPools } from "./cognito.fixture.ts";

let cognito: Awaited<ReturnType<typeof startTestPools>>;
beforeAll(async () => {
  cognito = await startTestPools();
});
afterAll(() => cognito.stop());

const deleteAsAdmin = (Username: string, role = "admin") =>
  cognito.as(role).send(new AdminDeleteUserCommand({ UserPoolId: poolId, Username }));

test("a user that deletes itself, or is deleted, is an event with its sub and without name and token", async () => {
  const [own, other] = [cognito.newUser(), cognito.newUser()];
  const { AccessToken } = await cognito.tokens(own);
  const { UserAttributes = [] } = await cognito
    .as("admin")
    .send(new AdminGetUserCommand({ UserPoolId: poolId, Username: other }));
  const sub = UserAttributes.find(({ Name }) => Name === "sub")!.Value;
  cognito.events.length = 0;
  await cognito.sdk.send(new DeleteUserCommand({ AccessToken }));
  await deleteAsAdmin(other);
  expect(cognito.events).toMatchObject([
    {
      source: "aws.cognito-idp",
      "detail-type": "AWS API Call via CloudTrail",
      detail: {
        eventSource: "cognito-idp.amazonaws.com",
        eventName: "DeleteUser",
        userIdentity: { type: "Unknown" },
        additionalEventData: { sub: claimsOf(AccessToken!).sub },
        readOnly: false,
      },
    },
    {
      detail: {
        eventName: "AdminDeleteUser",
        userIdentity: { arn: expect.stringContaining(":assumed-role/admin/") },
        requestParameters: { userPoolId: poolId },
        additionalEventData: { sub },
      },
    },
  ]);
  const text = JSON.stringify(cognito.events);
  for (const secret of [own, other, AccessToken!]) expect(text).not.toContain(secret);
  expect(text).not.toContain("errorCode");
});

test("a call that failed has an error code, one that is not allowed none at all", async () => {
  cognito.events.length = 0;
  await expect(deleteAsAdmin("nothing")).rejects.toThrow("User does not exist");
  await expect(deleteAsAdmin("nothing", "unrelated")).rejects.toThrow("not authorized");
  expect(cognito.events).toMatchObject([
    { detail: { eventName: "AdminDeleteUser", errorCode: "UserNotFoundException" } },
  ]);
});
