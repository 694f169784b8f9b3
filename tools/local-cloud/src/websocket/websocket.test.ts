import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  GoneException,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";

import { createClock } from "../clock.ts";
import {
  account,
  type Handlers,
  type LambdaEvent,
  lambda,
  lambdaArn,
  region,
  resource,
  returns,
} from "../apigateway/gateway.fixture.ts";
import { createPrincipals } from "../iam/principals.ts";
import { silentLog } from "../log.ts";
import type { GraphFile, ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph, resourcesOf } from "../graph/resource-graph.ts";
import { withLocalAddresses } from "./local-addresses.ts";
import { createWebSockets } from "./server.ts";

const executionArn = `arn:aws:execute-api:${region}:${account}:ws1`;

/** An API `ws1` with the stage `live`; each route calls the function of its name, without the dollar. */
function sockets(
  routes: Record<string, ResourceInFile["inputs"]>,
  more: ResourceInFile[] = [],
): GraphFile {
  const functions = [...Object.keys(routes).map(named), "authorizer"];
  return {
    app: "test",
    stage: "test",
    region,
    account,
    functions: {},
    resources: [
      resource(
        "aws:apigatewayv2/api:Api",
        "ws1",
        { protocolType: "WEBSOCKET", routeSelectionExpression: "$request.body.action" },
        { executionArn, apiEndpoint: "wss://ws1.execute-api.example.com" },
      ),
      resource("aws:apigatewayv2/stage:Stage", "live", { apiId: "ws1", name: "live" }),
      ...Object.entries(routes).flatMap(([routeKey, inputs]) => [
        resource("aws:apigatewayv2/integration:Integration", `to-${routeKey}`, {
          apiId: "ws1",
          integrationType: "AWS_PROXY",
          integrationUri: lambda(named(routeKey)).uri,
        }),
        resource("aws:apigatewayv2/route:Route", routeKey, {
          apiId: "ws1",
          routeKey,
          target: `integrations/to-${routeKey}`,
          ...inputs,
        }),
      ]),
      ...functions.map((name) =>
        resource("aws:lambda/permission:Permission", `may-${name}`, {
          action: "lambda:InvokeFunction",
          function: name,
          principal: "apigateway.amazonaws.com",
          sourceArn: `${executionArn}/*`,
        }),
      ),
      ...more,
    ],
  };
}

const named = (routeKey: string) => routeKey.replace("$", "");

const authorizer = resource("aws:apigatewayv2/authorizer:Authorizer", "authorizer1", {
  apiId: "ws1",
  authorizerType: "REQUEST",
  authorizerUri: lambda("authorizer").uri,
  identitySources: ["route.request.querystring.token"],
});
const authorized = { $connect: { authorizationType: "CUSTOM", authorizerId: "authorizer1" } };

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function serve(file: GraphFile, handlers: Handlers = {}) {
  const graph = parseGraph(file);
  const db = new DatabaseSync(":memory:");
  const clock = createClock();
  const principals = createPrincipals({ graph, db });
  const seen: LambdaEvent[] = [];
  const { server, stop } = createWebSockets({
    graph,
    principals,
    clock,
    log: silentLog,
    functions: {
      async invoke(arn, payload) {
        const event = JSON.parse(payload);
        seen.push(event);
        const answer = handlers[arn.split(":")[6]!];
        return answer ? answer(event, undefined) : returns({ statusCode: 200 });
      },
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  stops.push(() => server.close(), stop);
  const management = new ApiGatewayManagementApiClient({
    endpoint: `http://${host}/live`,
    region,
    maxAttempts: 1,
    credentials: principals.operator,
  });

  return {
    seen,
    clock,
    management,
    host,
    principals,
    /** The status of the handshake, and then the connection. */
    async connect(query = "", protocols: string[] = []) {
      const socket = new WebSocket(`ws://${host}/live${query}`, protocols);
      stops.push(() => socket.terminate());
      const status = await new Promise<number>((resolve, reject) => {
        socket.once("open", () => resolve(101));
        socket.once("unexpected-response", (_, response) => resolve(response.statusCode!));
        socket.on("error", reject);
      });
      return {
        status,
        socket,
        closed: new Promise<number>((resolve) => socket.once("close", resolve)),
      };
    },
  };
}

test("$disconnect receives the close code and the reason", async () => {
  const heard = Promise.withResolvers<LambdaEvent>();
  const { connect } = await serve(sockets({ $disconnect: {} }), {
    disconnect: (event) => {
      heard.resolve(event);
      return returns({ statusCode: 200 });
    },
  });
  const { socket } = await connect();
  socket.close(4001, "enough");
  expect((await heard.promise).requestContext).toMatchObject({
    routeKey: "$disconnect",
    eventType: "DISCONNECT",
    disconnectStatusCode: 4001,
    disconnectReason: "enough",
  });
});

test("with AWS_IAM a handshake without a signature is 403", async () => {
  const { connect } = await serve(sockets({ $connect: { authorizationType: "AWS_IAM" } }));
  expect((await connect()).status).toBe(403);
});

test("the AWS SDK sends to a connection, describes it and closes it", async () => {
  const { connect, management, seen } = await serve(sockets({ $connect: {} }));
  const { socket, closed } = await connect();
  const ConnectionId = seen[0]!.requestContext.connectionId;
  const arrived = once(socket, "message");
  await management.send(new PostToConnectionCommand({ ConnectionId, Data: "hello" }));
  expect(String((await arrived)[0])).toBe("hello");

  const found = await management.send(new GetConnectionCommand({ ConnectionId }));
  expect(found.ConnectedAt).toBeInstanceOf(Date);
  expect(found.LastActiveAt!.getTime()).toBeGreaterThanOrEqual(found.ConnectedAt!.getTime());
  expect(found.Identity).toMatchObject({ SourceIp: "127.0.0.1" });

  await expect(
    management.send(new PostToConnectionCommand({ ConnectionId, Data: "x".repeat(131_073) })),
  ).rejects.toMatchObject({ name: "PayloadTooLargeException" });

  await management.send(new DeleteConnectionCommand({ ConnectionId }));
  await closed;
  await expect(
    management.send(new PostToConnectionCommand({ ConnectionId, Data: "hello" })),
  ).rejects.toBeInstanceOf(GoneException);
});

test("a role may manage only the connections that its policy allows", async () => {
  const role = (name: string, Resource: string) =>
    resource(
      "aws:iam/role:Role",
      name,
      {
        name,
        assumeRolePolicy: JSON.stringify({
          Statement: {
            Effect: "Allow",
            Action: "sts:AssumeRole",
            Principal: { Service: "lambda.amazonaws.com" },
          },
        }),
        inlinePolicies: [
          {
            name: "sockets",
            policy: JSON.stringify({
              Statement: { Effect: "Allow", Action: "execute-api:ManageConnections", Resource },
            }),
          },
        ],
      },
      { arn: `arn:aws:iam::${account}:role/${name}` },
    );
  const graph = sockets({ $connect: {} }, [
    role("poster", `${executionArn}/live/POST/@connections/*`),
    role("other", `${executionArn}/other/*`),
  ]);
  const { connect, host, seen, principals } = await serve(graph);
  await connect();
  const ConnectionId = seen[0]!.requestContext.connectionId;
  const as = (name: string) =>
    new ApiGatewayManagementApiClient({
      endpoint: `http://${host}/live`,
      region,
      maxAttempts: 1,
      credentials: principals.forRole(
        `arn:aws:iam::${account}:role/${name}`,
        "lambda.amazonaws.com",
      ),
    });
  const post = new PostToConnectionCommand({ ConnectionId, Data: "hello" });
  await as("poster").send(post);
  await expect(as("poster").send(new GetConnectionCommand({ ConnectionId }))).rejects.toMatchObject(
    { name: "AccessDeniedException", $metadata: { httpStatusCode: 403 } },
  );
  await expect(as("other").send(post)).rejects.toMatchObject({ name: "AccessDeniedException" });
  const unsigned = await fetch(`http://${host}/live/@connections/x`, { method: "POST" });
  expect(unsigned.status).toBe(403);
  expect(unsigned.headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
});

test("a feature that is not emulated is a start error that names it", async () => {
  const api = (inputs: object) =>
    resource("aws:apigatewayv2/api:Api", "other", { protocolType: "WEBSOCKET", ...inputs });
  await expect(serve(sockets({}, [api({ protocolType: "HTTP" })]))).rejects.toThrow("HTTP");
  await expect(
    serve(sockets({}, [api({ apiKeySelectionExpression: "$request.header.x" })])),
  ).rejects.toThrow("apiKeySelectionExpression");
  await expect(serve(sockets({ ping: { authorizationType: "CUSTOM" } }))).rejects.toThrow("ping");
  const byContext = { ...authorizer.inputs, identitySources: ["context.identity.sourceIp"] };
  await expect(serve(sockets(authorized, [{ ...authorizer, inputs: byContext }]))).rejects.toThrow(
    "context.identity.sourceIp",
  );
});

test("links and environments of functions have the local addresses", () => {
  const graph = sockets({});
  graph.functions = {
    [lambdaArn("talker")]: {
      name: "Talker",
      handler: "talker.handler",
      links: { Sockets: { managementEndpoint: "https://ws1.execute-api.example.com/live" } },
      architecture: "arm64",
    },
  };
  graph.resources.push(
    resource(
      "aws:lambda/function:Function",
      "talker",
      {
        role: `arn:aws:iam::${account}:role/talker`,
        environment: { variables: { URL: "wss://ws1.execute-api.example.com/live" } },
      },
      { arn: lambdaArn("talker") },
    ),
  );
  const places = [{ endpoint: "wss://ws1.execute-api.example.com/live", path: "/live" }];
  const { functions, ...more } = withLocalAddresses(
    parseGraph(graph),
    places,
    "http://127.0.0.1:4505",
  );
  expect(functions[lambdaArn("talker")]!.links).toEqual({
    Sockets: { managementEndpoint: "http://127.0.0.1:4505/live" },
  });
  const [talker] = resourcesOf({ functions, ...more }, "aws:lambda/function:Function").slice(-1);
  expect(talker!.inputs.environment!.variables!["URL"]).toBe("ws://127.0.0.1:4505/live");
});
