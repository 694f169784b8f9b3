import { join } from "node:path";
import { expect, test } from "vitest";

import type { GraphFile, ResourceInFile } from "./graph-file.ts";
import {
  functionByArn,
  loadGraph,
  logicalName,
  parseGraph,
  resourcesOf,
} from "./resource-graph.ts";

const root = join(import.meta.dirname, "../../../..");

const resource = (type: string, inputs: object = {}, outputs: object = {}): ResourceInFile => ({
  urn: `urn:${type}::Odd`,
  type,
  name: "Odd",
  id: "odd",
  inputs,
  outputs,
});

const graphOf = (...resources: ResourceInFile[]): GraphFile => ({
  app: "app",
  stage: "dev",
  region: "eu-central-1",
  account: "123456789012",
  resources,
  functions: {},
});

/** Returns what is wrong with a graph, a sentence per problem. */
function problemsIn(...resources: ResourceInFile[]): string[] {
  try {
    parseGraph(graphOf(...resources));
    return [];
  } catch (error) {
    return (error as Error).message.split("\n- ").slice(1);
  }
}

const queue = (inputs: object) =>
  resource("aws:sqs/queue:Queue", inputs, { arn: "arn:aws:sqs:eu-central-1:123456789012:odd" });
const bucketName = { bucket: "odd" };

test("the committed graphs have only resources that are known", () => {
  for (const file of ["infra/stack.json", "tools/local-cloud/fixture/stack.json"])
    expect(loadGraph(join(root, file)).resources.length).toBeGreaterThan(200);
});

test.each([
  "aws:cloudfront/distribution:Distribution",
  "aws:cloudwatch/dashboard:Dashboard",
  "aws:cloudwatch/eventBus:EventBus",
  "aws:sns/platformApplication:PlatformApplication",
  "aws:scheduler/schedule:Schedule",
  "aws:lambda/functionUrl:FunctionUrl",
  "aws:lambda/alias:Alias",
  "aws:sqs/redrivePolicy:RedrivePolicy",
  "aws:apigateway/vpcLink:VpcLink",
  "cloudflare:index/record:Record",
])("a resource of the type %s is refused by its name and type", (type) => {
  expect(problemsIn(resource(type))).toEqual([`Odd (${type}): the resource type is not emulated`]);
});

test.each([
  "sst:aws:Bucket",
  "sst:sst:Linkable",
  "pulumi:pulumi:Stack",
  "pulumi:providers:aws",
  "random:index/randomBytes:RandomBytes",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:apigateway/account:Account",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:sns/topic:Topic",
  "aws:sns/topicSubscription:TopicSubscription",
])("a resource of the type %s is ignored", (type) => {
  expect(problemsIn(resource(type, { anything: 1 }))).toEqual([]);
});

const mapping = (inputs: object) =>
  resource("aws:lambda/eventSourceMapping:EventSourceMapping", {
    eventSourceArn: "arn",
    functionName: "odd",
    ...inputs,
  });
const userPool = (inputs: object) => resource("aws:cognito/userPool:UserPool", inputs);
const restApi = (inputs: object) => resource("aws:apigateway/restApi:RestApi", inputs);

test.each<[string, ResourceInFile, string]>([
  [
    "property",
    mapping({ tumblingWindowInSeconds: 30 }),
    "tumblingWindowInSeconds = 30 is not emulated",
  ],
  ["property", queue({ redriveAllowPolicy: "{}" }), 'redriveAllowPolicy = "{}" is not emulated'],
  [
    "property",
    resource("aws:s3/bucketNotification:BucketNotification", { ...bucketName, eventbridge: true }),
    "eventbridge = true is not emulated",
  ],
  [
    "property within a property",
    userPool({ lambdaConfig: { preSignUp: "arn" } }),
    'lambdaConfig = {"preSignUp":"arn"} is not emulated',
  ],
  [
    "property in a list",
    resource("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", {
      ...bucketName,
      rules: [{ id: "r", status: "Enabled", expiration: { date: "2026-01-01" } }],
    }),
    'rules[0].expiration.date = "2026-01-01" is not emulated',
  ],
  ["value", queue({ fifoQueue: true }), "fifoQueue = true is not emulated, only false"],
  [
    "value",
    mapping({ parallelizationFactor: 2 }),
    "parallelizationFactor = 2 is not emulated, only 1",
  ],
  [
    "value",
    userPool({ mfaConfiguration: "ON" }),
    'mfaConfiguration = "ON" is not emulated, only "OFF", "OPTIONAL"',
  ],
  [
    "value of several forms",
    restApi({ endpointConfiguration: { types: "PRIVATE" } }),
    'endpointConfiguration.types = "PRIVATE" is not emulated',
  ],
  [
    "value of another type",
    queue({ delaySeconds: "5" }),
    'delaySeconds = "5" is not of the type number',
  ],
])("a %s that is not emulated is named with its value: %#", (_, odd, sentence) => {
  expect(problemsIn(odd)).toEqual([`Odd (${odd.type}): ${sentence}`]);
});

test("a runtime other than Node is refused", () => {
  const arn = "arn:aws:lambda:eu-central-1:123456789012:function:odd";
  const python = resource(
    "aws:lambda/function:Function",
    { role: "r", runtime: "python3.13" },
    { arn },
  );
  expect(problemsIn(python)).toEqual([
    'Odd (aws:lambda/function:Function): runtime = "python3.13" is not emulated',
  ]);
});

test("a property that links to another resource must be there", () => {
  expect(problemsIn(resource("aws:apigateway/deployment:Deployment"))).toEqual([
    "Odd (aws:apigateway/deployment:Deployment): restApi is missing",
  ]);
});

test("all problems of a graph are in one error", () => {
  const odd = queue({ fifoQueue: true, redriveAllowPolicy: "{}" });
  expect(problemsIn(odd, resource("aws:lambda/alias:Alias"))).toHaveLength(3);
});

test("an unknown property that is false or empty asks for nothing", () => {
  expect(problemsIn(queue({ some: false, text: "", list: [], object: {} }))).toEqual([]);
});

test("notes that Pulumi keeps beside the inputs are no properties", () => {
  expect(problemsIn(queue({ __defaults: ["name"] }))).toEqual([]);
});

test("the second name that an older provider has for a type is the same type", () => {
  const graph = parseGraph(graphOf(resource("aws:s3/bucketV2:BucketV2", bucketName)));
  expect(resourcesOf(graph, "aws:s3/bucket:Bucket")[0]?.inputs.bucket).toBe("odd");
});

test("a function is found by its ARN, and a resource has the name of its outermost component", () => {
  const graph = loadGraph(join(root, "infra/stack.json"));
  const [arn = ""] = Object.keys(graph.functions);
  const lambda = functionByArn(graph, arn)!;
  expect(logicalName(graph, lambda)).toBe(graph.functions[arn]!.name);
  expect(functionByArn(graph, `${arn}-other`)).toBeUndefined();
});
