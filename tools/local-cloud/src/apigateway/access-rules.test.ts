import { afterEach, expect, test } from "vitest";

import { signRequest } from "../iam/sign-request.ts";
import type { ResourceInFile } from "../graph/graph-file.ts";
import {
  type LambdaEvent,
  account,
  apiArn,
  authorizerUri,
  echo,
  lambda,
  part,
  poolArn,
  region,
  resource,
  restApi,
  returns,
  role,
  serve,
} from "./gateway.fixture.ts";

const to = lambda("echo");

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

/** An authorizer of everything, with what it was asked. */
function judge(decide: (event: LambdaEvent) => object = () => ({})) {
  const asked: LambdaEvent[] = [];
  const authorizer = (event: LambdaEvent) => {
    asked.push(event);
    return returns({
      principalId: "judge",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: "*" }],
      },
      ...decide(event),
    });
  };
  return { asked, handlers: { echo, authorizer } };
}

const custom = { authorization: "CUSTOM", authorizerId: "judge" };
const authorizerOf = (inputs: ResourceInFile["inputs"]) =>
  part("authorizer:Authorizer", "judge", { authorizerUri: authorizerUri("authorizer"), ...inputs });

test("an authorizer of requests without sources is asked every time", async () => {
  const { asked, handlers } = judge();
  const more = [
    authorizerOf({ type: "REQUEST", identitySource: "", authorizerResultTtlInSeconds: 0 }),
  ];
  const api = await start(restApi({ "GET /x": { to, method: custom } }, { more }), handlers);
  expect(await api.status("/x")).toBe(200);
  expect(await api.status("/x")).toBe(200);
  expect(asked.length).toBe(2);
});

test("a decision may be of the path or of the stage, and without a time it is of one request", async () => {
  const { asked, handlers } = judge();
  const identitySource = "context.path, stageVariables.color";
  const routes = { "GET /x": { to, method: custom }, "GET /y": { to, method: custom } };
  const stage = { variables: { color: "blue" } };
  const of = (ttl: number) =>
    restApi(routes, {
      stage,
      more: [authorizerOf({ type: "REQUEST", identitySource, authorizerResultTtlInSeconds: ttl })],
    });
  const api = await start(of(60), handlers);
  for (const path of ["/x", "/x", "/y"]) expect(await api.status(path)).toBe(200);
  expect(asked.map(({ path }) => path)).toEqual(["/x", "/y"]);
  await api.stop();
  const forgetful = await start(of(0), handlers);
  for (const path of ["/x", "/x"]) expect(await forgetful.status(path)).toBe(200);
  expect(asked.length).toBe(4);
});

test("a source that the stage does not have is 401", async () => {
  const { asked, handlers } = judge();
  const more = [authorizerOf({ type: "REQUEST", identitySource: "stageVariables.color" })];
  const api = await start(restApi({ "GET /x": { to, method: custom } }, { more }), handlers);
  expect(await api.status("/x")).toBe(401);
  expect(asked).toEqual([]);
});

test("a policy's ARN may hold * and ?, and a Deny goes before every Allow", async () => {
  const statement = (Effect: string, Resource: string | string[]) => ({
    Action: "execute-api:*",
    Effect,
    Resource,
  });
  const { handlers } = judge(() => ({
    policyDocument: {
      Version: "2012-10-17",
      Statement: [
        statement("Allow", [`${apiArn}/t/GET/a/*`, `${apiArn}/*/*/b?`]),
        statement("Deny", `${apiArn}/t/*/a/secret*`),
      ],
    },
  }));
  const more = [authorizerOf({ type: "TOKEN" })];
  const routes = { "ANY /{proxy+}": { to, method: custom } };
  const api = await start(restApi(routes, { more }), handlers);
  const ask = (path: string, method?: string) => api.status(path, { authorization: "x" }, method);
  expect(await ask("/a/1")).toBe(200);
  expect(await ask("/a/1/2")).toBe(200);
  expect(await ask("/b1", "PUT")).toBe(200);
  expect(await ask("/b12")).toBe(403);
  expect(await ask("/a/1", "PUT")).toBe(403);
  expect(await ask("/a/secret/1")).toBe(403);
});

test("with AUTHORIZER as its source the key is the one that the authorizer names", async () => {
  const { handlers } = judge(({ authorizationToken }) => ({
    usageIdentifierKey: authorizationToken === "nobody" ? undefined : authorizationToken,
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
      { "GET /x": { to, method: { ...custom, apiKeyRequired: true } } },
      { api: { apiKeySource: "AUTHORIZER" }, more },
    ),
    handlers,
  );
  const answer = await api.call("/t/x", { headers: { authorization: "value-of-twenty-chars" } });
  expect(answer.json.requestContext.identity).toMatchObject({
    apiKey: "value-of-twenty-chars",
    apiKeyId: "key",
  });
  for (const authorization of ["nobody", "some-other-value-of-a-key"])
    expect(await api.status("/x", { authorization, "x-api-key": "value-of-twenty-chars" })).toBe(
      403,
    );
});

test("a plan limits a client, and a client's method more narrowly", async () => {
  const more = [
    resource("aws:apigateway/usagePlan:UsagePlan", "plan", {
      apiStages: [
        {
          apiId: "api1",
          stage: "t",
          throttles: [{ path: "/narrow/GET", rateLimit: 1, burstLimit: 1 }],
        },
      ],
      throttleSettings: { rateLimit: 1, burstLimit: 3 },
    }),
    ...["one", "two"].flatMap((name) => [
      resource("aws:apigateway/apiKey:ApiKey", name, { value: `${name}-value-of-twenty-chars` }),
      resource("aws:apigateway/usagePlanKey:UsagePlanKey", `member-${name}`, {
        keyId: name,
        usagePlanId: "plan",
        keyType: "API_KEY",
      }),
    ]),
  ];
  const method = { apiKeyRequired: true };
  const routes = { "GET /narrow": { to, method }, "GET /wide": { to, method } };
  const api = await start(restApi(routes, { more }), { echo });
  const ask = (path: string, name = "one") =>
    api.status(path, { "x-api-key": `${name}-value-of-twenty-chars` });
  expect([await ask("/narrow"), await ask("/narrow")]).toEqual([200, 429]);
  expect([await ask("/wide"), await ask("/wide"), await ask("/wide")]).toEqual([200, 200, 429]);
  expect(await ask("/narrow", "two")).toBe(200);
});

test.each([
  ["WEEK", 0, Date.UTC(2027, 0, 6), Date.UTC(2027, 0, 10)],
  ["MONTH", 1, Date.UTC(2027, 0, 6), Date.UTC(2027, 1, 1)],
] as const)(
  "a quota of a %s with %i used beforehand is whole in the next",
  async (period, offset, begin, next) => {
    const more = [
      resource("aws:apigateway/usagePlan:UsagePlan", "plan", {
        apiStages: [{ apiId: "api1", stage: "t" }],
        quotaSettings: { limit: 2, offset, period },
      }),
      ...memberOfPlan,
    ];
    const api = await start(
      restApi({ "GET /x": { to, method: { apiKeyRequired: true } } }, { more }),
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

test("a limit of all methods is one for each", async () => {
  const more = [
    part("methodSettings:MethodSettings", "all", {
      stageName: "t",
      methodPath: "*/*",
      settings: { throttlingRateLimit: 1, throttlingBurstLimit: 1 },
    }),
  ];
  const api = await start(restApi({ "GET /x": { to }, "GET /y": { to } }, { more }), { echo });
  expect([await api.status("/x"), await api.status("/x"), await api.status("/y")]).toEqual([
    200, 429, 200,
  ]);
});

test("a token is for the client that the authorizer's expression says", async () => {
  const pool = [
    resource(
      "aws:cognito/userPool:UserPool",
      `${region}_Pool`,
      { passwordPolicy: { minimumLength: 8, requireSymbols: false } },
      { arn: poolArn },
    ),
    ...["ours", "theirs"].map((name) =>
      resource("aws:cognito/userPoolClient:UserPoolClient", name, { userPoolId: `${region}_Pool` }),
    ),
    part("authorizer:Authorizer", "people", {
      type: "COGNITO_USER_POOLS",
      providerArns: [poolArn],
      identityValidationExpression: "our.",
    }),
  ];
  const method = { authorization: "COGNITO_USER_POOLS", authorizerId: "people" };
  const api = await start(restApi({ "GET /x": { to, method } }, { more: pool }), { echo });
  api.userPools.createUser({ name: "ana", password: "Correct-horse1", email: "a@example.com" });
  const token = async (clientId: string) =>
    (await api.userPools.issue("ana", { clientId })).IdToken;
  expect(await api.status("/x", { authorization: await token("ours") })).toBe(200);
  expect(await api.status("/x", { authorization: await token("theirs") })).toBe(401);
});

test("a model refers to another by its address, in the words of draft-04", async () => {
  const model = (name: string, schema: object) =>
    part("model:Model", name, {
      name,
      contentType: "application/json",
      schema: JSON.stringify(schema),
    });
  const more = [
    part("requestValidator:RequestValidator", "both", {
      validateRequestBody: true,
      validateRequestParameters: true,
    }),
    model("Tag", { type: "string", pattern: "^[a-z]+$" }),
    model("Tags", {
      type: "array",
      minItems: 1,
      uniqueItems: true,
      items: { $ref: "https://apigateway.amazonaws.com/restapis/api1/models/Tag" },
    }),
  ];
  const method = {
    requestValidatorId: "both",
    requestParameters: { "method.request.path.id": true, "method.request.querystring.q": true },
    requestModels: { "application/json": "Tags" },
  };
  const api = await start(restApi({ "POST /x/{id}": { to, method } }, { more }), { echo });
  const post = async (body: string, query = "?q=1") =>
    (
      await api.call(`/t/x/1${query}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      })
    ).status;
  expect(await post('["a","b"]')).toBe(200);
  for (const body of ['["A"]', '["a","a"]', "[]", "{}"]) expect(await post(body)).toBe(400);
  const both = await api.call("/t/x/1", { method: "POST", body: "{}" });
  expect(both.json.message).toBe("Missing required request parameters: [q]");
});

test("a model under $default is for every type that has none of its own", async () => {
  const model = (name: string, type: string) =>
    part("model:Model", name, {
      name,
      contentType: "application/json",
      schema: JSON.stringify({ type }),
    });
  const more = [
    part("requestValidator:RequestValidator", "body", { validateRequestBody: true }),
    model("List", "array"),
    model("Text", "string"),
  ];
  const method = {
    requestValidatorId: "body",
    requestModels: { $default: "List", "text/json": "Text" },
  };
  const api = await start(restApi({ "POST /x": { to, method } }, { more }), { echo });
  const post = async (body: string, type: string) =>
    (await api.call("/t/x", { method: "POST", body, headers: { "content-type": type } })).status;
  expect(await post("[]", "application/json")).toBe(200);
  expect(await post("{}", "application/json")).toBe(400);
  expect(await post("{}", "application/vnd.other+json")).toBe(400);
  expect(await post('"a"', "text/json")).toBe(200);
  expect(await post("[]", "text/json")).toBe(400);
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

test("a resource policy's Deny comes before the authorizer is asked", async () => {
  const { asked, handlers } = judge();
  const api = await start(
    restApi(
      { "GET /x": { to, method: custom }, "GET /y": { to, method: custom } },
      {
        ...policyOf(statement("Allow", "*"), statement("Deny", "GET/x")),
        more: [authorizerOf({ type: "TOKEN" })],
      },
    ),
    handlers,
  );
  expect(await api.status("/x", { authorization: "a" })).toBe(403);
  expect(asked).toEqual([]);
  expect(await api.status("/y", { authorization: "a" })).toBe(200);
});

test("of one account, either the caller's policy or the API's is enough, and either's Deny is the end", async () => {
  const lambdaService = "lambda.amazonaws.com";
  const own = (Effect: string, path: string) => ({
    Effect,
    Action: "execute-api:Invoke",
    Resource: `${apiArn}/t/${path}`,
  });
  const iam = { to, method: { authorization: "AWS_IAM" } };
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
