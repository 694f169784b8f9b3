// A process of its own: starts a graph with one function and one REST API, and prints which files were loaded for it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const loaded: string[] = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
const { startCloud } = await import("./cloud.ts");
const { parseGraph } = await import("./graph/resource-graph.ts");

const account = "123456789012";
const functionArn = `arn:aws:lambda:eu-central-1:${account}:function:hello`;
const roleArn = `arn:aws:iam::${account}:role/hello`;
const executionArn = `arn:aws:execute-api:eu-central-1:${account}:api1`;

const resource = (type: string, name: string, inputs: object, outputs: object = {}) => ({
  urn: `urn:${type}::${name}`,
  type,
  name,
  id: name,
  inputs,
  outputs,
});
const ofMethod = { restApi: "api1", resourceId: "root", httpMethod: "GET" };
const trust = {
  Effect: "Allow",
  Principal: { Service: "lambda.amazonaws.com" },
  Action: "sts:AssumeRole",
};

const graph = parseGraph({
  app: "small",
  stage: "test",
  region: "eu-central-1",
  account,
  functions: {
    [functionArn]: { name: "Hello", handler: "hello.handler", links: {}, architecture: "x86_64" },
  },
  resources: [
    resource(
      "aws:iam/role:Role",
      "hello",
      { assumeRolePolicy: { Statement: trust } },
      { arn: roleArn },
    ),
    resource(
      "aws:lambda/function:Function",
      "hello",
      { name: "hello", role: roleArn },
      { arn: functionArn },
    ),
    resource("aws:lambda/permission:Permission", "invoke", {
      action: "lambda:InvokeFunction",
      function: "hello",
      principal: "apigateway.amazonaws.com",
      sourceArn: `${executionArn}/*`,
    }),
    resource(
      "aws:apigateway/restApi:RestApi",
      "api1",
      {},
      { rootResourceId: "root", executionArn },
    ),
    resource("aws:apigateway/method:Method", "get", { ...ofMethod, authorization: "NONE" }),
    resource("aws:apigateway/integration:Integration", "get", {
      ...ofMethod,
      type: "AWS_PROXY",
      integrationHttpMethod: "POST",
      uri: `arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
    }),
    resource("aws:apigateway/deployment:Deployment", "deployment", { restApi: "api1" }),
    resource("aws:apigateway/stage:Stage", "stage", {
      restApi: "api1",
      deployment: "deployment",
      stageName: "v1",
    }),
  ],
});

const root = mkdtempSync(join(tmpdir(), "small-cloud-"));
writeFileSync(
  join(root, "hello.ts"),
  `export const handler = async () => ({ statusCode: 200, body: "hello" });`,
);
// relative folders, as the README starts it
process.chdir(root);
const cloud = await startCloud({ graph, root: ".", data: "data" });
const answer = await (await fetch(`${cloud.local.api}/`)).text();
await cloud.stop();
rmSync(root, { recursive: true });
console.log(JSON.stringify({ answer, addresses: cloud.local, loaded }));
