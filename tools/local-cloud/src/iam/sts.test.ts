import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { close, listen } from "../listen.ts";
import { silentLog } from "../log.ts";
import { account, createTestQueues, region, role, roleArn } from "../sqs/queues.fixture.ts";
import { type Principal, createPrincipals } from "./principals.ts";
import { createSts } from "./sts.ts";

const { graph, db, clock } = createTestQueues([
  role({ Effect: "Deny", Action: "*", Resource: "*" }),
]);
const principals = createPrincipals({ graph, db });
const server = createSts({ graph, principals, clock, log: silentLog });
let endpoint: string;

beforeAll(async () => {
  endpoint = `http://127.0.0.1:${await listen(server, 0, "STS")}`;
});
afterAll(() => close(server));

const client = (credentials: Pick<Principal, "accessKeyId" | "secretAccessKey">) =>
  new STSClient({ region, endpoint, credentials, maxAttempts: 1 });

test("GetCallerIdentity returns the operator", async () => {
  const { operator } = principals;
  expect(await client(operator).send(new GetCallerIdentityCommand())).toMatchObject({
    Arn: `arn:aws:iam::${account}:user/operator`,
    UserId: operator.accessKeyId.replace("AKIA", "AIDA"),
    Account: account,
  });
});

test("GetCallerIdentity returns the session of a role, whatever its policies are", async () => {
  const session = principals.forRole(roleArn, "lambda.amazonaws.com");
  expect(await client(session).send(new GetCallerIdentityCommand())).toMatchObject({
    Arn: `arn:aws:sts::${account}:assumed-role/worker/worker`,
    UserId: `${session.accessKeyId.replace("ASIA", "AROA")}:worker`,
    Account: account,
  });
});

test("a wrong key is rejected with 403", async () => {
  const wrong = { ...principals.operator, secretAccessKey: "guess" };
  await expect(client(wrong).send(new GetCallerIdentityCommand())).rejects.toMatchObject({
    name: "SignatureDoesNotMatch",
    $metadata: { httpStatusCode: 403 },
  });
});

test("an action that is not emulated is rejected by its name", async () => {
  const assume = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "s" });
  await expect(client(principals.operator).send(assume)).rejects.toMatchObject({
    name: "InvalidAction",
    message: expect.stringContaining("sts:AssumeRole is not emulated"),
  });
});
