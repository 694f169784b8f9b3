import { afterEach, expect, test } from "vitest";

import { signRequest } from "../iam/sign-request.ts";
import type { ResourceInFile } from "../graph/graph-file.ts";
import {
  type LambdaEvent,
  account,
  apiArn,
  authorizerUri,
  echo,
  json,
  lambda,
  mock,
  apiResource,
  region,
  resource,
  restApi,
  returns,
  role,
  serve,
} from "./gateway.fixture.ts";

const integration = lambda("echo");

const memberOfPlan = [
  resource("aws:apigateway/apiKey:ApiKey", "key", { value: "value-of-twenty-chars" }),
  resource("aws:apigateway/usagePlanKey:UsagePlanKey", "member", {
    keyId: "key",
    usagePlanId: "plan",
    keyType: "API_KEY",
  }),
];

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

const start = async (...args: Parameters<typeof serve>) => {
  const api = await serve(...args);
  stop = api.stop;
  const status = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
    (await api.call(`/t${path}`, { method, headers })).status;
  return { ...api, status };
};

/** Returns an authorizer that allows everything, and the list of events that it received. */
function allowAll(override: (event: LambdaEvent) => object = () => ({})) {
  const events: LambdaEvent[] = [];
  const authorizer = (event: LambdaEvent) => {
    events.push(event);
    return returns({
      principalId: "authorizer1",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: "*" }],
      },
      ...override(event),
    });
  };
  return { events, handlers: { echo, authorizer } };
}

const custom = { authorization: "CUSTOM", authorizerId: "authorizer1" };
const authorizerOf = (inputs: ResourceInFile["inputs"]) =>
  apiResource("authorizer:Authorizer", "authorizer1", {
    authorizerUri: authorizerUri("authorizer"),
    ...inputs,
  });

test("with apiKeySource AUTHORIZER the API key is the one that the authorizer returns", async () => {
  const { handlers } = allowAll(({ authorizationToken }) => ({
    usageIdentifierKey: authorizationToken === "none" ? undefined : authorizationToken,
  }));
  const more = [
    authorizerOf({ type: "TOKEN" }),
    resource("aws:apigateway/usagePlan:UsagePlan", "plan", {
      apiStages: [{ apiId: "api1", stage: "t" }],
    }),
    ...memberOfPlan,
  ];
  const api = await start(
    restApi(
      { "GET /x": { integration, method: { ...custom, apiKeyRequired: true } } },
      { api: { apiKeySource: "AUTHORIZER" }, more },
    ),
    handlers,
  );
  const answer = await api.call("/t/x", { headers: { authorization: "value-of-twenty-chars" } });
  expect(answer.json.requestContext.identity).toMatchObject({
    apiKey: "value-of-twenty-chars",
    apiKeyId: "key",
  });
  for (const authorization of ["none", "some-other-value-of-a-key"])
    expect(await api.status("/x", { authorization, "x-api-key": "value-of-twenty-chars" })).toBe(
      403,
    );
});

test.each([
  ["WEEK", 0, Date.UTC(2027, 0, 6), Date.UTC(2027, 0, 10)],
  ["MONTH", 1, Date.UTC(2027, 0, 6), Date.UTC(2027, 1, 1)],
] as const)(
  "a quota of a %s with an offset of %i starts again in the next period",
  async (period, offset, begin, next) => {
    const more = [
      resource("aws:apigateway/usagePlan:UsagePlan", "plan", {
        apiStages: [{ apiId: "api1", stage: "t" }],
        quotaSettings: { limit: 2, offset, period },
      }),
      ...memberOfPlan,
    ];
    const api = await start(
      restApi({ "GET /x": { integration, method: { apiKeyRequired: true } } }, { more }),
      { echo },
    );
    await api.clock.advance(begin - api.clock.now());
    const spend = async () => {
      let spent = 0;
      while ((await api.status("/x", { "x-api-key": "value-of-twenty-chars" })) === 200) spent++;
      return spent;
    };
    expect(await spend()).toBe(2 - offset);
    await api.clock.advance(next - 60_000 - api.clock.now());
    expect(await spend()).toBe(0);
    await api.clock.advance(61_000);
    expect(await spend()).toBe(2);
  },
);

test("a limit of */* is a separate limit for each method", async () => {
  const more = [
    apiResource("methodSettings:MethodSettings", "all", {
      stageName: "t",
      methodPath: "*/*",
      settings: { throttlingRateLimit: 1, throttlingBurstLimit: 1 },
    }),
  ];
  const api = await start(
    restApi({ "GET /x": { integration }, "GET /y": { integration } }, { more }),
    { echo },
  );
  expect([await api.status("/x"), await api.status("/x"), await api.status("/y")]).toEqual([
    200, 429, 200,
  ]);
});

const statement = (Effect: string, path: string, Principal: unknown = "*") => ({
  Effect,
  Principal,
  Action: "execute-api:Invoke",
  Resource: `execute-api:/t/${path}`,
});
const policyOf = (...statements: object[]) => ({
  api: { policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }) },
});

test("a resource policy must allow a method without authorization, and its Deny wins", async () => {
  const policy = JSON.stringify({
    Statement: [
      {
        Effect: "Allow",
        Principal: "*",
        Action: "execute-api:Invoke",
        Resource: "execute-api:/t/GET/*",
      },
      {
        Effect: "Deny",
        Principal: "*",
        Action: "execute-api:Invoke",
        Resource: "execute-api:/t/GET/secret",
      },
    ],
  });
  const open = { integration: mock(), responses: { "200": json({}) } };
  const api = await start(
    restApi({ "GET /open": open, "GET /secret": open, "POST /open": open }, { api: { policy } }),
  );
  expect((await api.call("/t/open")).status).toBe(200);
  const secret = await api.call("/t/secret");
  expect([secret.status, secret.headers.get("x-amzn-errortype")]).toEqual([
    403,
    "AccessDeniedException",
  ]);
  expect(secret.json.Message).toMatch(
    /^User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-central-1:\*{8}9012:api1\/t\/GET\/secret with an explicit deny/,
  );
  expect((await api.call("/t/open", { method: "POST" })).status).toBe(403);
});

test("a Deny of the resource policy applies before the authorizer is called", async () => {
  const { events, handlers } = allowAll();
  const api = await start(
    restApi(
      {
        "GET /x": { integration, method: custom },
        "GET /y": { integration, method: custom },
      },
      {
        ...policyOf(statement("Allow", "*"), statement("Deny", "GET/x")),
        more: [authorizerOf({ type: "TOKEN" })],
      },
    ),
    handlers,
  );
  expect(await api.status("/x", { authorization: "a" })).toBe(403);
  expect(events).toEqual([]);
  expect(await api.status("/y", { authorization: "a" })).toBe(200);
});

test("within one account the caller's policy or the resource policy must allow, and neither may deny", async () => {
  const lambdaService = "lambda.amazonaws.com";
  const own = (Effect: string, path: string) => ({
    Effect,
    Action: "execute-api:Invoke",
    Resource: `${apiArn}/t/${path}`,
  });
  const iam = { integration, method: { authorization: "AWS_IAM" } };
  const only = { AWS: `arn:aws:iam::${account}:role/guest` };
  const api = await start(
    restApi(
      {
        "GET /own": iam,
        "GET /given": iam,
        "GET /denied": iam,
        "GET /guest": iam,
        "GET /none": iam,
      },
      {
        ...policyOf(
          statement("Allow", "GET/given"),
          statement("Allow", "GET/denied"),
          statement("Allow", "GET/guest", only),
        ),
        more: [
          role("caller", lambdaService, own("Allow", "GET/own"), own("Deny", "GET/denied")),
          role("guest", lambdaService, { ...own("Allow", "GET/nothing") }),
        ],
      },
    ),
    { echo },
  );
  const ask = async (roleName: string, path: string) => {
    const caller = api.principals.forRole(
      `arn:aws:iam::${account}:role/${roleName}`,
      "lambda.amazonaws.com",
    );
    const headers = { host: `127.0.0.1:${api.port}` };
    const request = { method: "GET", url: `/t${path}`, headers };
    return api.status(path, signRequest(request, caller, "execute-api", region, Date.now()));
  };
  expect(await ask("caller", "/own")).toBe(200);
  expect(await ask("caller", "/given")).toBe(200);
  expect(await ask("caller", "/denied")).toBe(403);
  expect(await ask("caller", "/guest")).toBe(403);
  expect(await ask("guest", "/guest")).toBe(200);
  expect(await ask("caller", "/none")).toBe(403);
});
