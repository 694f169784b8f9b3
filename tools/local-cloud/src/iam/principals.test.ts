import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";

import { type Log, silentLog } from "../log.ts";
import type { GraphFile, ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import * as Principals from "./principals.ts";

const account = "123456789012";
const roleArn = `arn:aws:iam::${account}:role/app-dev-ResizeRole`;
const functionArn = `arn:aws:lambda:eu-central-1:${account}:function:app-dev-Resize`;

const allow = (Action: string, Resource: string) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] });

const resource = (
  type: string,
  name: string,
  inputs: object,
  outputs: object = {},
): ResourceInFile => ({
  urn: `urn:pulumi:dev::app::${type}::${name}`,
  type,
  name,
  id: name,
  inputs,
  outputs,
});

function graphWith(role: object, ...more: ResourceInFile[]): GraphFile {
  const assumeRolePolicy = JSON.stringify({
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      },
    ],
  });
  return {
    app: "app",
    stage: "dev",
    region: "eu-central-1",
    account,
    resources: [
      resource(
        "aws:iam/role:Role",
        "ResizeRole",
        { name: "app-dev-ResizeRole", assumeRolePolicy, ...role },
        { arn: roleArn },
      ),
      resource(
        "aws:lambda/function:Function",
        "ResizeFunction",
        { name: "app-dev-Resize", role: roleArn },
        { arn: functionArn },
      ),
      ...more,
    ],
    functions: {
      [functionArn]: { name: "Resize", handler: "a.b", links: {}, architecture: "arm64" },
    },
  };
}

const lambda = "lambda.amazonaws.com";
const open = (graph: GraphFile, db = new DatabaseSync(":memory:")) =>
  Principals.createPrincipals({ graph: parseGraph(graph), db });

test("a role has the permissions of its inline, separate, attached and managed policies", () => {
  const policyArn = `arn:aws:iam::${account}:policy/extra`;
  const graph = graphWith(
    {
      inlinePolicies: [{ name: "inline", policy: allow("s3:GetObject", "*") }],
      managedPolicyArns: [
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        policyArn,
      ],
    },
    resource("aws:iam/policy:Policy", "extra", { policy: allow("sqs:*", "*") }, { arn: policyArn }),
    resource("aws:iam/rolePolicy:RolePolicy", "own", {
      role: "app-dev-ResizeRole",
      policy: allow("dynamodb:GetItem", "*"),
    }),
    resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "attached", {
      role: "app-dev-ResizeRole",
      policyArn: "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
    }),
  );
  const principal = open(graph).forRole(roleArn, lambda);
  const may = (action: string) =>
    Principals.authorize(principal, { action, resource: "r" }, silentLog).allowed;
  expect(
    [
      "s3:GetObject",
      "dynamodb:GetItem",
      "sqs:SendMessage",
      "logs:PutLogEvents",
      "xray:PutTraceSegments",
    ].map(may),
  ).toEqual([true, true, true, true, true]);
  expect(may("s3:PutObject")).toBe(false);
});

test("a denial has AWS's message, and the log names function, action and resource", () => {
  const principal = open(graphWith({})).forRole(roleArn, lambda);
  const lines: object[] = [];
  const log: Log = { ...silentLog, denied: (line) => lines.push(line) };
  const { message } = Principals.authorize(
    principal,
    { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" },
    log,
  );
  expect(message).toBe(
    `User: arn:aws:sts::${account}:assumed-role/app-dev-ResizeRole/app-dev-Resize is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k because no identity-based policy allows the s3:GetObject action`,
  );
  expect(lines).toEqual([
    { principal: "Resize", action: "s3:GetObject", resource: "arn:aws:s3:::b/k" },
  ]);
});

test("a service gets a session only for a role that trusts it", () => {
  const principals = open(graphWith({}));
  expect(() => principals.forRole(roleArn, "apigateway.amazonaws.com")).toThrow(
    `the role ${roleArn} does not trust apigateway.amazonaws.com`,
  );
  expect(() => principals.forRole(`${roleArn}2`, lambda)).toThrow("there is no role");
});

test("an unknown managed policy stops the start with its ARN", () => {
  const arn = "arn:aws:iam::aws:policy/AdministratorAccess";
  expect(() => open(graphWith({ managedPolicyArns: [arn] }))).toThrow(arn);
});

test("credentials survive a restart and belong to one principal each", () => {
  const db = new DatabaseSync(":memory:");
  const before = open(graphWith({}), db);
  const after = open(graphWith({}), db);
  const role = before.forRole(roleArn, lambda);
  expect(after.forRole(roleArn, lambda)).toEqual(role);
  expect(after.operator).toEqual(before.operator);
  expect(after.find(role.accessKeyId)?.label).toBe("Resize");
  expect(after.find(before.operator.accessKeyId)?.label).toBe("operator");
  expect(role.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  expect(after.find("ASIAUNKNOWN")).toBeUndefined();
});

test("a resource policy can allow what the role's policies do not mention, and its deny wins", () => {
  const own = { inlinePolicies: [{ name: "inline", policy: allow("sqs:DeleteMessage", "*") }] };
  const principal = open(graphWith(own)).forRole(roleArn, lambda);
  const may = (action: string, Effect: "Allow" | "Deny") =>
    Principals.authorize(principal, { action, resource: "q" }, silentLog, [
      { Effect, Principal: { AWS: roleArn }, Action: action, Resource: "*" },
    ]).allowed;
  expect(may("sqs:SendMessage", "Allow")).toBe(true);
  expect(may("sqs:DeleteMessage", "Deny")).toBe(false);
});
