import { DatabaseSync } from "node:sqlite";

import { createClock } from "../clock.ts";
import { silentLog } from "../log.ts";
import type { GraphFile, ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { createQueues } from "./queues.ts";

export const region = "eu-central-1";
export const account = "123456789012";
export const queueArn = (name: string) => `arn:aws:sqs:${region}:${account}:${name}`;
export const queueUrl = (name: string) => `https://sqs.${region}.amazonaws.com/${account}/${name}`;
export const roleArn = `arn:aws:iam::${account}:role/worker`;
export const bucketArn = "arn:aws:s3:::pictures";

export const resource = (
  type: string,
  id: string,
  inputs: object,
  outputs: object = {},
): ResourceInFile => ({
  urn: `urn:pulumi:dev::app::${type}::${id}`,
  type,
  name: id,
  id,
  inputs,
  outputs,
});

export const queue = (name: string, inputs: object = {}) =>
  resource("aws:sqs/queue:Queue", queueUrl(name), inputs, {
    arn: queueArn(name),
    url: queueUrl(name),
  });

export const queuePolicy = (name: string, statement: object) =>
  resource("aws:sqs/queuePolicy:QueuePolicy", `${name}Policy`, {
    queueUrl: queueUrl(name),
    policy: JSON.stringify({ Statement: [statement] }),
  });

/** `jobs` with five minutes of visibility and two chances, and `dead` for what used them up. */
export const jobsWithDeadLetters = () => [
  queue("jobs", {
    visibilityTimeoutSeconds: 300,
    redrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn("dead"), maxReceiveCount: 2 }),
  }),
  queue("dead"),
];

export const role = (...statements: object[]) =>
  resource(
    "aws:iam/role:Role",
    "worker",
    {
      name: "worker",
      assumeRolePolicy: JSON.stringify({
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ],
      }),
      inlinePolicies: [{ name: "inline", policy: JSON.stringify({ Statement: statements }) }],
    },
    { arn: roleArn },
  );

export const graphOf = (...resources: ResourceInFile[]): GraphFile => ({
  app: "app",
  stage: "dev",
  region,
  account,
  resources,
  functions: {},
});

export function createTestQueues(
  resources: ResourceInFile[] = jobsWithDeadLetters(),
  db = new DatabaseSync(":memory:"),
) {
  const graph = parseGraph(graphOf(...resources));
  const clock = createClock();
  return { graph, db, clock, queues: createQueues({ graph, db, clock, log: silentLog }) };
}
