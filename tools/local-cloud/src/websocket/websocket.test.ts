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
import { afterEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";

import { createClock } from "../clock.ts";
import {
  account,
  fails,
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
const minutes = 60_000;

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

const responds = (routeKey: string) =>
  resource("aws:apigatewayv2/routeResponse:RouteResponse", `response-${routeKey}`, {
    apiId: "ws1",
    routeId: routeKey,
    routeResponseKey: "$default",
  });

const authorizer = resource("aws:apigatewayv2/authorizer:Authorizer", "authorizer1", {
  apiId: "ws1",
  authorizerType: "REQUEST",
  authorizerUri: lambda("authorizer").uri,
  identitySources: ["route.request.querystring.token"],
});
const authorized = { $connect: { authorizationType: "CUSTOM", authorizerId: "authorizer1" } };

const policy = (Effect: string, Resource: string) =>
  returns({
    principalId: "someone",
    policyDocument: { Statement: [{ Effect, Action: "execute-api:Invoke", Resource }] },
    context: { level: 3 },
  });

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
        async ask(message: string): Promise<unknown> {
          const answered = once(socket, "message");
          socket.send(message);
          return JSON.parse(String((await answered)[0]));
        },
      };
    },
  };
}

test("a message goes to the route that it names, and its answer back only where the route has one", async () => {
  const graph = sockets({ ping: {}, note: {} }, [responds("ping")]);
  const { connect, seen } = await serve(graph, {
    ping: () => returns({ statusCode: 200, body: '"pong"' }),
    note: () => returns({ statusCode: 200, body: '"never sent"' }),
  });
  const { socket, ask } = await connect();
  socket.send('{"action":"note"}');
  expect(await ask('{"action":"ping","n":1}')).toBe("pong");
  const event = seen.at(-1)!;
  expect(event).toMatchObject({
    body: '{"action":"ping","n":1}',
    isBase64Encoded: false,
    requestContext: {
      routeKey: "ping",
      eventType: "MESSAGE",
      messageDirection: "IN",
      stage: "live",
      apiId: "ws1",
      messageId: expect.any(String),
      connectionId: expect.any(String),
    },
  });
  expect(event.headers).toBeUndefined();
});

test("what no route wants goes to $default: no JSON, an unknown name, a reserved one", async () => {
  const graph = sockets({ $connect: {}, $default: {} }, [responds("$default")]);
  const { connect } = await serve(graph, {
    default: ({ requestContext }) =>
      returns({ statusCode: 200, body: JSON.stringify(requestContext.routeKey) }),
  });
  const { ask } = await connect();
  for (const message of ["no JSON", '{"action":"unknown"}', '{"action":"$connect"}', "{}"])
    expect(await ask(message)).toBe("$default");
});

test("a route that fails or is missing is told so, and the connection stays", async () => {
  const graph = sockets({ bad: {}, odd: {} });
  const { connect } = await serve(graph, {
    bad: () => fails("secret"),
    odd: () => returns("no object"),
  });
  const { ask, socket } = await connect();
  const ids = { connectionId: expect.any(String), requestId: expect.any(String) };
  expect(await ask('{"action":"none"}')).toEqual({ message: "Forbidden", ...ids });
  expect(await ask('{"action":"bad"}')).toEqual({ message: "Internal server error", ...ids });
  expect(await ask('{"action":"odd"}')).toEqual({ message: "Internal server error", ...ids });
  expect(socket.readyState).toBe(socket.OPEN);
});

test("$connect decides: its status is the handshake's, its failure 502, its subprotocol the connection's", async () => {
  const { connect, seen } = await serve(sockets({ $connect: {} }), {
    connect: ({ queryStringParameters }) => {
      if (queryStringParameters?.as === "failure") return fails("secret");
      return returns({
        statusCode: Number(queryStringParameters?.as ?? 200),
        headers: { "Sec-WebSocket-Protocol": "chat" },
      });
    },
  });
  expect((await connect("?as=403")).status).toBe(403);
  expect((await connect("?as=409")).status).toBe(409);
  expect((await connect("?as=failure")).status).toBe(502);
  const { socket } = await connect("", ["news", "chat"]);
  expect(socket.protocol).toBe("chat");
  expect(seen.at(-1)).toMatchObject({
    headers: { "Sec-WebSocket-Protocol": "news,chat", "X-Forwarded-For": "127.0.0.1" },
    requestContext: { routeKey: "$connect", eventType: "CONNECT" },
  });
});

test("$disconnect hears of the end and why", async () => {
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

test("an authorizer lets in, refuses, or is not asked at all", async () => {
  const graph = sockets({ ...authorized, ping: {} }, [authorizer, responds("ping")]);
  const asked: string[] = [];
  const { connect } = await serve(graph, {
    authorizer: ({ methodArn, queryStringParameters: { token } }) => {
      asked.push(methodArn);
      if (token === "unauthorized") return fails("Unauthorized");
      if (token === "failure") return fails("secret");
      return policy(token === "allow" ? "Allow" : "Deny", methodArn);
    },
    ping: ({ requestContext }) =>
      returns({ statusCode: 200, body: JSON.stringify(requestContext.authorizer) }),
  });
  expect((await connect()).status).toBe(401);
  expect(asked).toEqual([]);
  expect((await connect("?token=unauthorized")).status).toBe(401);
  expect((await connect("?token=deny")).status).toBe(403);
  expect((await connect("?token=failure")).status).toBe(500);
  const { ask } = await connect("?token=allow");
  expect(asked.at(-1)).toBe(`${executionArn}/live/$connect`);
  expect(await ask('{"action":"ping"}')).toMatchObject({ principalId: "someone", level: "3" });
});

test("under IAM nobody connects without a signature", async () => {
  const { connect } = await serve(sockets({ $connect: { authorizationType: "AWS_IAM" } }));
  expect((await connect()).status).toBe(403);
});

test("another path than the stage's is forbidden", async () => {
  const { host } = await serve(sockets({}));
  expect((await fetch(`http://${host}/other`)).status).toBe(403);
  const { connect } = await serve(sockets({}));
  expect((await connect("/deeper")).status).toBe(403);
});

test("a frame over 32 KB, a message over 128 KB and bytes end the connection with a code that says so", async () => {
  const { connect } = await serve(sockets({ ping: {} }, [responds("ping")]), {
    ping: ({ body }) => returns({ statusCode: 200, body: String(body.length) }),
  });
  const long = (bytes: number) => `{"action":"ping","x":"${"x".repeat(bytes - 24)}"}`;
  const one = await connect();
  expect(await one.ask(long(32_768))).toBe(32_768);
  one.socket.send(long(32_769));
  expect(await one.closed).toBe(1009);

  const other = await connect();
  const parts = (count: number) => {
    const text = long(count * 32_000);
    for (let i = 0; i < count; i++)
      other.socket.send(text.slice(i * 32_000, (i + 1) * 32_000), { fin: i === count - 1 });
  };
  const answered = once(other.socket, "message");
  parts(4);
  expect(String((await answered)[0])).toBe("128000");
  parts(5);
  expect(await other.closed).toBe(1009);

  const third = await connect();
  third.socket.send(Buffer.from("bytes"));
  expect(await third.closed).toBe(1003);
});

test("ten minutes without a word end a connection; a word begins them anew; two hours end any", async () => {
  const { connect, clock, seen } = await serve(sockets({ note: {} }));
  const silent = await connect();
  const talker = await connect();
  const isOpen = ({ socket }: { socket: WebSocket }) => socket.readyState === WebSocket.OPEN;
  // thirteen times nine minutes are under two hours
  for (let times = 1; times <= 13; times++) {
    await clock.advance(9 * minutes);
    talker.socket.send('{"action":"note"}');
    await vi.waitFor(() => expect(seen.length).toBe(times));
    await vi.waitFor(() => expect([isOpen(silent), isOpen(talker)]).toEqual([times < 2, true]));
  }
  await clock.advance(9 * minutes);
  expect(await silent.closed).toBe(1001);
  expect(await talker.closed).toBe(1001);
});

test("AWS's own client speaks to a connection, asks of it and ends it", async () => {
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

test("a role reaches only the connections that it may manage", async () => {
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

test("what is configured and not emulated stops the start by name", async () => {
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

test("a function is told the address on this machine", () => {
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
