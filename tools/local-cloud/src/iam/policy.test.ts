import { expect, test } from "vitest";

import type { ConditionBlock, RequestContext } from "./policy-condition.ts";
import * as Policy from "./policy.ts";

const table = "arn:aws:dynamodb:eu-central-1:123456789012:table/Data";
const read: Policy.Statement = { Effect: "Allow", Action: "dynamodb:GetItem", Resource: table };

const allows = (statements: Policy.Statement[], action: string, resource: string) =>
  Policy.evaluate(statements, { action, resource }).allowed;

test("a request that no statement allows is denied", () => {
  expect(allows([], "dynamodb:GetItem", table)).toBe(false);
  expect(allows([read], "dynamodb:PutItem", table)).toBe(false);
  expect(allows([read], "dynamodb:GetItem", `${table}2`)).toBe(false);
  expect(allows([read], "dynamodb:GetItem", table)).toBe(true);
});

test("a deny wins over an allow, in any order", () => {
  const deny: Policy.Statement = { Effect: "Deny", Action: "dynamodb:*", Resource: "*" };
  const ask = { action: "dynamodb:GetItem", resource: table };
  for (const statements of [
    [read, deny],
    [deny, read],
  ])
    expect(Policy.evaluate(statements, ask)).toEqual({ allowed: false, explicitDeny: true });
});

test("actions ignore case, resources do not, and both accept wildcards", () => {
  const statement: Policy.Statement = {
    Effect: "Allow",
    Action: ["DynamoDB:Batch*Item", "s3:Get?bject"],
    Resource: "arn:aws:s3:::pictures/up*/?.png",
  };
  const key = "arn:aws:s3:::pictures/uploads/deep/a.png";
  expect(allows([statement], "dynamodb:batchgetitem", key)).toBe(true);
  expect(allows([statement], "s3:GetObject", key)).toBe(true);
  expect(allows([statement], "s3:GetObjects", key)).toBe(false);
  expect(allows([statement], "s3:GetObject", key.replace("pictures", "Pictures"))).toBe(false);
  expect(allows([statement], "s3:GetObject", key.replace("a.png", "ab.jpg"))).toBe(false);
});

test("NotAction and NotResource match everything else", () => {
  const statement: Policy.Statement = {
    Effect: "Allow",
    NotAction: "iam:*",
    NotResource: `${table}/*`,
  };
  expect(allows([statement], "dynamodb:Query", table)).toBe(true);
  expect(allows([statement], "iam:PassRole", table)).toBe(false);
  expect(allows([statement], "dynamodb:Query", `${table}/index/gsi1`)).toBe(false);
});

const holds = (Condition: ConditionBlock, context: RequestContext) =>
  Policy.evaluate([{ Effect: "Allow", Action: "*", Resource: "*", Condition }], {
    action: "a:b",
    resource: "r",
    context,
  }).allowed;

test.each<[ConditionBlock, RequestContext, boolean]>([
  [{ StringEquals: { "aws:SourceAccount": ["1", "2"] } }, { "aws:sourceaccount": "2" }, true],
  [{ StringEquals: { k: "a" } }, {}, false],
  [{ StringEqualsIfExists: { k: "a" } }, {}, true],
  [{ StringEqualsIfExists: { k: "a" } }, { k: "b" }, false],
  [{ StringNotEquals: { k: ["a", "b"] } }, { k: "b" }, false],
  [{ StringNotEquals: { k: ["a", "b"] } }, {}, true],
  [{ StringLike: { k: "up*/?" } }, { k: "uploads/1" }, true],
  [{ StringNotLike: { k: "up*" } }, { k: "down" }, true],
  [{ ArnLike: { k: "arn:aws:s3:*:*:x" } }, { k: "arn:aws:s3:::x" }, true],
  [{ ArnLike: { k: "arn:aws:s3:*x" } }, { k: "arn:aws:s3:a:b:x" }, false],
  [{ Bool: { "aws:SecureTransport": false } }, { "aws:SecureTransport": "false" }, true],
  [{ Null: { k: "true" } }, {}, true],
  [{ Null: { k: "false" } }, {}, false],
  [{ NumericLessThanEquals: { k: 10 } }, { k: "9" }, true],
  [{ NumericLessThanEquals: { k: "10" } }, { k: "11" }, false],
  [{ IpAddress: { ip: "127.0.0.0/8" } }, { ip: "127.1.2.3" }, true],
  [{ NotIpAddress: { ip: "127.0.0.0/8" } }, { ip: "127.1.2.3" }, false],
  [{ "ForAllValues:StringLike": { k: ["A#*", "B#*"] } }, { k: ["A#1", "B#2"] }, true],
  [{ "ForAllValues:StringLike": { k: ["A#*", "B#*"] } }, { k: ["A#1", "C#2"] }, false],
  [{ "ForAllValues:StringLike": { k: "A" } }, {}, true],
  [{ "ForAnyValue:StringEquals": { k: "a" } }, { k: ["b", "a"] }, true],
  [{ "ForAnyValue:StringEquals": { k: "a" } }, {}, false],
  [{ StringEquals: { k: "a", l: "b" } }, { k: "a" }, false],
  [
    { StringLike: { "s3:prefix": "${aws:userid}/*" } },
    { "s3:prefix": "u/x", "aws:userid": "u" },
    true,
  ],
  [{ StringLike: { "s3:prefix": "${aws:userid}/*" } }, { "s3:prefix": "/x" }, false],
])("the condition %j on %j is %s", (condition, context, expected) => {
  expect(holds(condition, context)).toBe(expected);
});

test("a policy element or operator that is not emulated is rejected by name", () => {
  const policy = (statement: object) => ({ Statement: [{ ...read, ...statement }] });
  const parse = (statement: object) => () => Policy.parse(policy(statement), "the policy p");
  expect(parse({ Condition: { BinaryEquals: { k: "a" } } })).toThrow(
    'the policy p: the condition operator "BinaryEquals" is not emulated',
  );
  expect(parse({ Resources: "*" })).toThrow('"Resources" is not an element');
  expect(parse({ Effect: "allow" })).toThrow('Effect is "allow"');
  expect(parse({ Action: undefined })).toThrow("Action or NotAction");
});

test("a resource policy applies to the principals that it names", () => {
  const role = "arn:aws:iam::123456789012:role/ingest";
  const session = "arn:aws:sts::123456789012:assumed-role/ingest/run";
  const allowed = (
    named: Policy.Statement["Principal"],
    principal: Policy.AccessRequest["principal"],
  ) =>
    Policy.evaluate(
      [{ Effect: "Allow", Principal: named!, Action: "sqs:SendMessage", Resource: "*" }],
      { action: "sqs:SendMessage", resource: "q", ...(principal ? { principal } : {}) },
    ).allowed;
  expect(allowed({ Service: ["s3.amazonaws.com"] }, { Service: "s3.amazonaws.com" })).toBe(true);
  expect(allowed({ Service: "s3.amazonaws.com" }, { AWS: session })).toBe(false);
  expect(allowed({ AWS: role }, { AWS: session })).toBe(true);
  expect(allowed({ AWS: "123456789012" }, { AWS: session })).toBe(true);
  expect(allowed({ AWS: "210987654321" }, { AWS: session })).toBe(false);
  expect(allowed("*", undefined)).toBe(true);
});
