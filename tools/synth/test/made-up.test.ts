import { expect, test } from "vitest";

import * as DataSources from "../src/data-sources.ts";
import * as ResourceOutputs from "../src/resource-outputs.ts";

const place = { region: "eu-central-1" };

test("a policy reads as AWS writes it", () => {
  const { json } = DataSources.answer(
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

test("two conditions of one test are both kept", () => {
  const values = ["x"];
  const { json } = DataSources.answer(
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

test("a policy of no statement has none, so that no empty one is attached", () => {
  const answer = DataSources.answer(
    "aws:iam/getPolicyDocument:getPolicyDocument",
    {},
    place.region,
  );
  expect(answer.statements).toBeUndefined();
});

test("a question to AWS that nobody has answered yet is an error, no guess", () => {
  expect(() => DataSources.answer("aws:ec2/getVpc:getVpc", {}, place.region)).toThrow("getVpc");
});

test("a type of resource that is new is an error that names it", () => {
  expect(() => ResourceOutputs.make("aws:sns/topic:Topic", "News", {}, place)).toThrow(
    "aws:sns/topic:Topic (News)",
  );
});

test("what is drawn at random in a deploy is no value here", () => {
  const { outputs } = ResourceOutputs.make(
    "random:index/randomPassword:RandomPassword",
    "CursorKey",
    {},
    place,
  );
  expect(outputs.result).toBe("secret://CursorKey");
});
