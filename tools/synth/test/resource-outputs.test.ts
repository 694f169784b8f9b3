import { expect, test } from "vitest";

import * as DataSources from "../src/data-sources.ts";
import * as ResourceOutputs from "../src/resource-outputs.ts";

const place = { region: "eu-central-1" };

test("a policy document is rendered as AWS writes it", () => {
  const { json } = DataSources.answerCall(
    "aws:iam/getPolicyDocument:getPolicyDocument",
    {
      statements: [
        {
          effect: "Deny",
          principals: [{ type: "*", identifiers: ["*"] }],
          actions: ["s3:GetObject"],
          resources: ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
          conditions: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
        },
      ],
    },
    place.region,
  );
  expect(JSON.parse(json)).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Deny",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
});

test("two conditions with one operator are both kept", () => {
  const values = ["x"];
  const { json } = DataSources.answerCall(
    "aws:iam/getPolicyDocument:getPolicyDocument",
    {
      statements: [
        {
          actions: ["a:B"],
          resources: ["r"],
          conditions: [
            { test: "StringEquals", variable: "one", values },
            { test: "StringEquals", variable: "two", values },
          ],
        },
      ],
    },
    place.region,
  );
  expect(JSON.parse(json).Statement[0].Condition).toEqual({ StringEquals: { one: "x", two: "x" } });
});

test("a policy document without statements is empty, so that no empty policy is attached", () => {
  const answer = DataSources.answerCall(
    "aws:iam/getPolicyDocument:getPolicyDocument",
    {},
    place.region,
  );
  expect(answer.statements).toBeUndefined();
});

test("an unknown data source is an error that names it", () => {
  expect(() => DataSources.answerCall("aws:ec2/getVpc:getVpc", {}, place.region)).toThrow("getVpc");
});

test("an unknown resource type is an error that names it", () => {
  expect(() => ResourceOutputs.outputsOf("aws:kinesis/stream:Stream", "News", {}, place)).toThrow(
    "aws:kinesis/stream:Stream (News)",
  );
});

test("a random value of a deploy is a placeholder in the graph", () => {
  const { outputs } = ResourceOutputs.outputsOf(
    "random:index/randomPassword:RandomPassword",
    "CursorKey",
    {},
    place,
  );
  expect(outputs.result).toBe("secret://CursorKey");
});
