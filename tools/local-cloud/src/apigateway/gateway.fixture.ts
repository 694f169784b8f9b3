import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { DatabaseSync } from "node:sqlite";

import { createClock } from "../clock.ts";
import { createAsynchronousEvents } from "../lambda/asynchronous/event-store.ts";
import { createUserPools } from "../cognito/cognito.ts";
import { type Principals, createPrincipals } from "../iam/principals.ts";
import type { InvokeResult } from "../lambda/invoke-result.ts";
import { type Log, type RequestLine, silentLog } from "../log.ts";
import type { GraphFile, ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { createGateway, type Dependencies } from "./gateway.ts";

export const region = "eu-central-1";
export const account = "123456789012";
export const apiArn = `arn:aws:execute-api:${region}:${account}:api1`;
export const lambdaArn = (name: string) => `arn:aws:lambda:${region}:${account}:function:${name}`;
export const poolArn = `arn:aws:cognito-idp:${region}:${account}:userpool/${region}_Pool`;

// what a test sets has the shape of the resource type
// oxlint-disable-next-line typescript/no-explicit-any
type Inputs = Record<string, any>;

export const resource = (
  type: string,
  name: string,
  inputs: Inputs,
  outputs: Inputs = {},
): ResourceInFile => ({ urn: `urn:${type}::${name}`, type, name, id: name, inputs, outputs });

/** A resource of the REST API `api1`. */
export const apiResource = (type: string, name: string, inputs: Inputs): ResourceInFile =>
  resource(`aws:apigateway/${type}`, name, { restApi: "api1", ...inputs });

/** The URI with which an authorizer names its function. */
export const authorizerUri = (name: string) =>
  `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${lambdaArn(name)}/invocations`;

/** A role that `service` may assume, with the statements of its policy. */
export const role = (name: string, service: string, ...Statement: object[]): ResourceInFile =>
  resource(
    "aws:iam/role:Role",
    name,
    {
      name,
      assumeRolePolicy: {
        Statement: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: service } },
      },
      inlinePolicies: [{ policy: JSON.stringify({ Statement }) }],
    },
    { arn: `arn:aws:iam::${account}:role/${name}` },
  );

/** A method, its integration and its responses. */
export type Route = {
  integration: Inputs;
  method?: Inputs;
  /** Integration responses by status, each with its method response. */
  responses?: Record<string, Inputs>;
};

export const mock = (statusCode = 200): Inputs => ({
  type: "MOCK",
  requestTemplates: { "application/json": `{statusCode: ${statusCode}}` },
});

export const lambda = (name: string, more: Inputs = {}): Inputs => ({
  type: "AWS_PROXY",
  integrationHttpMethod: "POST",
  uri: more.responseTransferMode
    ? `arn:aws:apigateway:${region}:lambda:path/2021-11-15/functions/${lambdaArn(name)}/response-streaming-invocations`
    : `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${lambdaArn(name)}/invocations`,
  ...more,
});

export const json = (body: object): Inputs => ({
  responseTemplates: { "application/json": JSON.stringify(body) },
});

/** A REST API `api1` with the stage `t`, whose deployment has everything and which may invoke all its functions. */
export function restApi(
  routes: Record<string, Route>,
  {
    api = {},
    stage = {},
    more = [],
  }: { api?: Inputs; stage?: Inputs; more?: ResourceInFile[] } = {},
): GraphFile {
  const methods = Object.entries(routes).flatMap(([key, route]) => methodResources(key, route));
  const functions = new Set(JSON.stringify([routes, more]).match(/function:\w+/g));
  const resources = [
    resource(
      "aws:apigateway/restApi:RestApi",
      "api1",
      { name: "Api", ...api },
      { rootResourceId: "/", executionArn: apiArn },
    ),
    ...new Map([...methods, ...more].map((one) => [one.urn, one])).values(),
    ...[...functions].map((name) =>
      resource("aws:lambda/permission:Permission", `may-${name}`, {
        action: "lambda:InvokeFunction",
        function: name.split(":")[1],
        principal: "apigateway.amazonaws.com",
        sourceArn: `${apiArn}/*`,
      }),
    ),
    resource("aws:apigateway/stage:Stage", "stage1", {
      restApi: "api1",
      deployment: "deployment1",
      stageName: "t",
      ...stage,
    }),
  ];
  const deployment = resource("aws:apigateway/deployment:Deployment", "deployment1", {
    restApi: "api1",
  });
  deployment.dependsOn = resources.map(({ urn }) => urn);
  return {
    app: "test",
    stage: "t",
    region,
    account,
    resources: [...resources, deployment],
    functions: {},
  };
}

function methodResources(
  key: string,
  { integration: to, method, responses = {} }: Route,
): ResourceInFile[] {
  const [httpMethod = "", path = ""] = key.split(" ");
  const of = { restApi: "api1", resourceId: path, httpMethod };
  const responseOf = (statusCode: string, inputs: Inputs) => [
    resource("aws:apigateway/methodResponse:MethodResponse", `${key} ${statusCode}`, {
      ...of,
      statusCode,
      responseParameters: Object.fromEntries(
        Object.keys(inputs.responseParameters ?? {}).map((name) => [name, true]),
      ),
    }),
    resource("aws:apigateway/integrationResponse:IntegrationResponse", `${key} ${statusCode}`, {
      ...of,
      statusCode,
      ...inputs,
    }),
  ];
  return [
    ...pathResources(path),
    resource("aws:apigateway/method:Method", key, {
      ...of,
      authorization: "NONE",
      requestParameters: declared(to.requestParameters),
      ...method,
    }),
    resource("aws:apigateway/integration:Integration", key, { ...of, ...to }),
    ...Object.entries(responses).flatMap(([status, inputs]) => responseOf(status, inputs)),
  ];
}

/** Declares the request parameters that an integration maps. */
const declared = (mapped: Record<string, string> = {}) =>
  Object.fromEntries(
    Object.values(mapped)
      .filter((source) => source.startsWith("method.request.") && !/\.request\.body/.test(source))
      .map((source) => [source, false]),
  );

/** Resources whose ids are their paths. */
const pathResources = (path: string): ResourceInFile[] =>
  path
    .split("/")
    .filter(Boolean)
    .map((pathPart, i, all) =>
      resource("aws:apigateway/resource:Resource", `/${all.slice(0, i + 1).join("/")}`, {
        restApi: "api1",
        parentId: `/${all.slice(0, i).join("/")}`,
        pathPart,
      }),
    );

/** The functions by name; they run in this process instead of Lambda's. */
export type Handlers = Record<
  string,
  (event: LambdaEvent, signal: AbortSignal | undefined) => Promise<InvokeResult> | InvokeResult
>;

// the events are what the tests are about
// oxlint-disable-next-line typescript/no-explicit-any
export type LambdaEvent = Record<string, any>;

export const returns = (value: unknown): InvokeResult => ({
  kind: "ok",
  payload: Buffer.from(JSON.stringify(value)),
});

export const echo = (event: LambdaEvent) =>
  returns({ statusCode: 200, body: JSON.stringify(event) });

export const fails = (errorMessage: string): InvokeResult => ({
  kind: "error",
  errorType: "Error",
  errorMessage,
  payload: Buffer.from(
    JSON.stringify({ errorType: "Error", errorMessage, trace: ["at secret.js"] }),
  ),
});

/** Serves a graph on a free port. */
export async function serve(
  file: GraphFile,
  handlers: Handlers = { echo },
  {
    s3 = "http://127.0.0.1:1",
    secret,
    ...given
  }: { s3?: string; secret?: (name: string) => string; principals?: Principals } & Pick<
    Dependencies,
    "traces" | "logFolder"
  > = {},
) {
  const graph = parseGraph(file);
  const db = new DatabaseSync(":memory:");
  const clock = createClock();
  const lines: RequestLine[] = [];
  const log: Log = { ...silentLog, request: (line) => lines.push(line) };
  const principals = given.principals ?? createPrincipals({ graph, db });
  const asynchronous = createAsynchronousEvents(db, clock);
  const userPools = createUserPools({ graph, db, principals, clock, log: silentLog });
  const gateway = createGateway({
    graph,
    functions: {
      invoke: async (arn, payload, options) =>
        handlers[arn.split(":")[6]!]!(JSON.parse(payload), options?.signal),
    },
    asynchronous,
    userPools,
    endpoints: { s3 },
    clock,
    log,
    ...given,
    principals,
    ...(secret && { secret }),
  });
  const server = createServer((req, res) => void gateway.handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    port,
    lines,
    clock,
    asynchronous,
    principals,
    userPools,
    gateway,
    stages: gateway.stages,
    async call(path: string, init: RequestInit = {}) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        // oxlint-disable-next-line typescript/no-explicit-any
        json: parse(text) as any,
      };
    },
    /** Sends these bytes and returns the response's; resolves when the gateway closes the connection. */
    raw(request: string): Promise<string> {
      return new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1");
        const chunks: Buffer[] = [];
        socket.on("data", (chunk) => chunks.push(chunk));
        socket.on("end", () => resolve(Buffer.concat(chunks).toString("latin1")));
        socket.on("error", reject);
        socket.write(request.replaceAll("\n", "\r\n"));
      });
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      db.close();
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
