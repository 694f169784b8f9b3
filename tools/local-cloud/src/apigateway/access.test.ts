import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { signRequest } from "../iam/sign-request.ts";
import type { ResourceInFile } from "../graph/graph-file.ts";
import {
  type LambdaEvent,
  account,
  apiArn,
  authorizerUri,
  echo,
  fails,
  lambda,
  part,
  poolArn,
  region,
  resource,
  restApi,
  returns,
  serve,
} from "./gateway.fixture.ts";

const cognito = { authorization: "COGNITO_USER_POOLS", authorizerId: "people" };
const custom = (authorizerId: string) => ({ authorization: "CUSTOM", authorizerId });
const plan = (name: string, inputs: ResourceInFile["inputs"]) =>
  resource("aws:apigateway/usagePlan:UsagePlan", name, {
    apiStages: [{ apiId: "api1", stage: "t" }],
    ...inputs,
  });
const key = (name: string, inputs: ResourceInFile["inputs"] = {}) =>
  resource("aws:apigateway/apiKey:ApiKey", name, {
    value: `${name}-value-of-twenty-chars`,
    ...inputs,
  });
const member = (keyId: string, usagePlanId: string) =>
  resource("aws:apigateway/usagePlanKey:UsagePlanKey", `${keyId} in ${usagePlanId}`, {
    keyId,
    usagePlanId,
    keyType: "API_KEY",
  });
const role = (name: string, statement: object) =>
  resource(
    "aws:iam/role:Role",
    name,
    {
      name,
      assumeRolePolicy: {
        Statement: {
          Effect: "Allow",
          Action: "sts:AssumeRole",
          Principal: { Service: "lambda.amazonaws.com" },
        },
      },
      inlinePolicies: [{ policy: JSON.stringify({ Statement: statement }) }],
    },
    { arn: `arn:aws:iam::${account}:role/${name}` },
  );

const graph = restApi(
  {
    "GET /open": { to: lambda("echo") },
    "GET /c/id": { to: lambda("echo"), method: cognito },
    "GET /c/scope": {
      to: lambda("echo"),
      method: { ...cognito, authorizationScopes: ["images/read"] },
    },
    "GET /ck": { to: lambda("echo"), method: { ...cognito, apiKeyRequired: true } },
    "GET /a/token/{x}": { to: lambda("echo"), method: custom("token") },
    "GET /a/req": { to: lambda("echo"), method: custom("request") },
    "GET /iam": { to: lambda("echo"), method: { authorization: "AWS_IAM" } },
    "GET /k": { to: lambda("echo"), method: { apiKeyRequired: true } },
    "GET /slowly": { to: lambda("echo") },
    "GET /v/params": {
      to: lambda("echo"),
      method: {
        requestValidatorId: "parameters",
        requestParameters: {
          "method.request.querystring.q": true,
          "method.request.header.x-h": true,
          "method.request.header.x-optional": false,
        },
      },
    },
    "ANY /v/body": {
      to: lambda("echo"),
      method: { requestValidatorId: "body", requestModels: { "application/json": "Title" } },
    },
  },
  {
    more: [
      resource(
        "aws:cognito/userPool:UserPool",
        `${region}_Pool`,
        { passwordPolicy: { minimumLength: 8, requireSymbols: false } },
        { arn: poolArn },
      ),
      resource("aws:cognito/userPoolClient:UserPoolClient", "client1", {
        userPoolId: `${region}_Pool`,
      }),
      part("authorizer:Authorizer", "people", {
        type: "COGNITO_USER_POOLS",
        providerArns: [poolArn],
      }),
      part("authorizer:Authorizer", "token", {
        type: "TOKEN",
        authorizerUri: authorizerUri("authorizer"),
        identityValidationExpression: "Bearer [-0-9a-zA-Z._]+",
      }),
      part("authorizer:Authorizer", "request", {
        type: "REQUEST",
        authorizerUri: authorizerUri("authorizer"),
        identitySource: "method.request.header.x-tenant, method.request.querystring.u",
      }),
      part("requestValidator:RequestValidator", "parameters", { validateRequestParameters: true }),
      part("requestValidator:RequestValidator", "body", { validateRequestBody: true }),
      part("model:Model", "Title", {
        name: "Title",
        contentType: "application/json",
        schema: JSON.stringify({
          $schema: "http://json-schema.org/draft-04/schema#",
          type: "object",
          required: ["title"],
          additionalProperties: false,
          properties: {
            title: { type: "string", minLength: 1, maxLength: 80 },
            size: { type: "integer", minimum: 0, exclusiveMinimum: true },
          },
        }),
      }),
      part("methodSettings:MethodSettings", "slow", {
        stageName: "t",
        methodPath: "slowly/GET",
        settings: { throttlingRateLimit: 1, throttlingBurstLimit: 1 },
      }),
      plan("P", { throttleSettings: { rateLimit: 2, burstLimit: 5 } }),
      plan("Q", { quotaSettings: { limit: 3, period: "DAY" } }),
      key("p"),
      key("q"),
      key("off", { enabled: false }),
      key("lonely"),
      member("p", "P"),
      member("q", "Q"),
      member("off", "P"),
      role("caller", {
        Effect: "Allow",
        Action: "execute-api:Invoke",
        Resource: `${apiArn}/t/GET/iam`,
      }),
      role("stranger", { Effect: "Allow", Action: "s3:GetObject", Resource: "*" }),
    ],
  },
);

let api: Awaited<ReturnType<typeof serve>>;
let asked = 0;
const call = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  api.call(`/t${path}`, { headers, ...init });
const outcome = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await call(path, headers);
  return [answer.status, answer.headers.get("x-amzn-errortype"), answer.json];
};

beforeAll(async () => {
  api = await serve(graph, { echo, authorizer });
  api.userPools.createUser({ name: "ana", password: "Correct-horse1", email: "ana@example.com" });
});
afterAll(() => api.stop());

const unauthorized = [401, "UnauthorizedException", { message: "Unauthorized" }];
const forbidden = [403, "ForbiddenException", { message: "Forbidden" }];

describe("a Cognito authorizer", () => {
  const issue = (scope?: string) =>
    api.userPools.issue("ana", { clientId: "client1", ...(scope && { scope }) });

  it("§7A G43: no token and a bad one are 401", async () => {
    expect(await outcome("/c/id")).toEqual(unauthorized);
    expect(await outcome("/c/id", { authorization: "Bearer garbage" })).toEqual(unauthorized);
  });

  it("§7A G44: an ID token's claims arrive as text, with or without Bearer", async () => {
    const { IdToken, AccessToken } = await issue();
    for (const authorization of [IdToken, `Bearer ${IdToken}`]) {
      const { json } = await call("/c/id", { authorization });
      const { claims } = json.requestContext.authorizer;
      expect(claims).toMatchObject({ token_use: "id", aud: "client1", email_verified: "true" });
      expect(claims.sub).toMatch(/^[0-9a-f-]{36}$/);
      expect(claims.exp).toMatch(/^[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d [\d:]{8} UTC \d{4}$/);
    }
    expect(await outcome("/c/id", { authorization: AccessToken })).toEqual(unauthorized);
  });

  it("§7A G45: an expired token says so", async () => {
    const { IdToken } = await api.userPools.issue("ana", { clientId: "client1", ageSeconds: 3601 });
    expect(await outcome("/c/id", { authorization: IdToken })).toEqual([
      401,
      "UnauthorizedException",
      { message: "The incoming token has expired" },
    ]);
  });

  it("§7A G46: with scopes, an access token that has one of them", async () => {
    const good = await issue("openid images/read");
    expect((await call("/c/scope", { authorization: good.AccessToken })).status).toBe(200);
    expect(await outcome("/c/scope", { authorization: (await issue()).AccessToken })).toEqual(
      unauthorized,
    );
    expect(await outcome("/c/scope", { authorization: good.IdToken })).toEqual(unauthorized);
  });

  it("comes before the API key", async () => {
    const { IdToken } = await issue();
    expect(await outcome("/ck")).toEqual(unauthorized);
    expect(await outcome("/ck", { authorization: IdToken, "x-api-key": "wrong" })).toEqual(
      forbidden,
    );
  });
});

describe("a Lambda authorizer", () => {
  it("§7A G47: without a token, or with one of another form, is not asked", async () => {
    const before = asked;
    expect(await outcome("/a/token/x")).toEqual(unauthorized);
    expect(await outcome("/a/token/x", { authorization: "nonsense" })).toEqual(unauthorized);
    expect(await outcome("/a/req", { "x-tenant": "1" })).toEqual(unauthorized);
    expect(asked).toBe(before);
  });

  it("§7A G48: allows, with its context as text", async () => {
    const { status, json } = await call("/a/token/x", { authorization: "Bearer allow" });
    expect(status).toBe(200);
    expect(json.requestContext.authorizer).toMatchObject({
      principalId: "judge",
      number: "7",
      yes: "true",
    });
    expect(json.requestContext.authorizer.integrationLatency).toEqual(expect.any(Number));
  });

  it("§7A G49: denies with a capital M", async () => {
    const [status, type, json] = await outcome("/a/token/x", { authorization: "Bearer deny" });
    expect([status, type]).toEqual([403, "AccessDeniedException"]);
    expect(json.Message).toMatch(
      /^User is not authorized to access this resource with an explicit deny/,
    );
    expect((await outcome("/a/token/x", { authorization: "Bearer silent" }))[2]).toEqual({
      Message: "User is not authorized to access this resource",
    });
  });

  it("§7A G50, G51: `Unauthorized` is 401, every other failure 500 with a null message", async () => {
    expect(await outcome("/a/token/x", { authorization: "Bearer unauth" })).toEqual(unauthorized);
    for (const token of ["boom", "badctx", "nothing"])
      expect(await outcome("/a/token/x", { authorization: `Bearer ${token}` })).toEqual([
        500,
        "AuthorizerConfigurationException",
        { message: null },
      ]);
  });

  it("is asked once for a token, and its policy is held against each path", async () => {
    const before = asked;
    const authorization = "Bearer allow-exact";
    expect((await call("/a/token/one", { authorization })).status).toBe(200);
    expect((await call("/a/token/one", { authorization })).status).toBe(200);
    expect((await call("/a/token/two", { authorization })).status).toBe(403);
    expect(asked).toBe(before + 1);
    await api.clock.advance(301_000);
    expect((await call("/a/token/two", { authorization })).status).toBe(200);
    expect(asked).toBe(before + 2);
  });

  it("of type REQUEST sees the request, and is cached by its sources", async () => {
    const before = asked;
    const { json } = await call("/a/req?u=1&v=1", { "x-tenant": "allow" });
    expect(json.requestContext.authorizer.saw).toBe("REQUEST /a/req 1");
    await call("/a/req?u=1&v=2", { "x-tenant": "allow" });
    expect(asked).toBe(before + 1);
    await call("/a/req?u=2", { "x-tenant": "allow" });
    expect(asked).toBe(before + 2);
  });
});

describe("AWS_IAM", () => {
  const signed = (roleName: string, secret?: string, at = Date.now()) => {
    const caller = api.principals.forRole(
      `arn:aws:iam::${account}:role/${roleName}`,
      "lambda.amazonaws.com",
    );
    const credentials = { ...caller, ...(secret && { secretAccessKey: secret }) };
    const headers = { host: `127.0.0.1:${api.port}` };
    const request = { method: "GET", url: "/t/iam?b=1&a=2", headers };
    return signRequest(request, credentials, "execute-api", region, at);
  };

  it("§7A G52: unsigned and wrongly signed are 403", async () => {
    expect(await outcome("/iam")).toEqual([
      403,
      "MissingAuthenticationTokenException",
      { message: "Missing Authentication Token" },
    ]);
    const wrong = await outcome("/iam?b=1&a=2", signed("caller", "wrong"));
    expect(wrong.slice(0, 2)).toEqual([403, "InvalidSignatureException"]);
    const old = await outcome("/iam?b=1&a=2", signed("caller", undefined, Date.now() - 301_000));
    expect(old.slice(0, 2)).toEqual([403, "InvalidSignatureException"]);
  });

  it("§7A G53: signed, the function sees who, not the signature", async () => {
    const { status, json } = await call("/iam?b=1&a=2", signed("caller"));
    expect(status).toBe(200);
    expect(json.requestContext.identity.userArn).toContain("assumed-role/caller/");
    expect(json.requestContext.identity.accessKey).toMatch(/^ASIA/);
    expect(Object.keys(json.headers).join()).not.toMatch(/authorization/i);
  });

  it("without the right to invoke it is AccessDenied", async () => {
    const [status, type, json] = await outcome("/iam?b=1&a=2", signed("stranger"));
    expect([status, type]).toEqual([403, "AccessDeniedException"]);
    expect(json.Message).toContain("execute-api:Invoke");
  });
});

describe("API keys and limits", () => {
  const withKey = (name: string) => ({ "x-api-key": `${name}-value-of-twenty-chars` });

  it("§7A G39: missing, unknown, disabled and planless keys look the same", async () => {
    expect(await outcome("/k")).toEqual(forbidden);
    for (const name of ["nobody", "off", "lonely"])
      expect(await outcome("/k", withKey(name))).toEqual(forbidden);
  });

  it("§7A G40: the function sees the key", async () => {
    const { json } = await call("/k", withKey("p"));
    expect(json.requestContext.identity).toMatchObject({
      apiKey: "p-value-of-twenty-chars",
      apiKeyId: "p",
    });
    expect((await call("/open", withKey("p"))).json.requestContext.identity).not.toHaveProperty(
      "apiKey",
    );
  });

  it("§7A G41: a quota ends, and begins again the next day", async () => {
    for (let i = 0; i < 3; i++) expect((await call("/k", withKey("q"))).status).toBe(200);
    expect(await outcome("/k", withKey("q"))).toEqual([
      429,
      "LimitExceededException",
      { message: "Limit Exceeded" },
    ]);
    await api.clock.advance(86_400_000);
    const { status, headers } = await call("/k", withKey("q"));
    expect([status, headers.get("retry-after")]).toEqual([200, null]);
  });

  it("§7A G42: a bucket of five empties, and fills by two a second", async () => {
    await api.clock.advance(60_000);
    const all = await Promise.all(Array.from({ length: 20 }, () => outcome("/k", withKey("p"))));
    expect(all.filter(([status]) => status === 200).length).toBeGreaterThanOrEqual(5);
    expect(all).toContainEqual([429, "TooManyRequestsException", { message: "Too Many Requests" }]);
    await api.clock.advance(1000);
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await call("/k", withKey("p"))).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("a method's own limit holds without any key", async () => {
    await api.clock.advance(60_000);
    expect([(await call("/slowly")).status, (await call("/slowly")).status]).toEqual([200, 429]);
  });
});

describe("a request validator", () => {
  it("§7A G36: names every parameter that is missing, headers first", async () => {
    expect(await outcome("/v/params")).toEqual([
      400,
      "BadRequestException",
      { message: "Missing required request parameters: [x-h, q]" },
    ]);
    expect((await outcome("/v/params?q=1"))[2].message).toContain("[x-h]");
    expect((await outcome("/v/params?q=", { "x-h": "1" }))[2].message).toContain("[q]");
    expect((await call("/v/params?q=1", { "X-H": "1" })).status).toBe(200);
  });

  it("§7A G37: holds a body against its model, draft-04", async () => {
    const post = (body: string, type = "application/json") =>
      call("/v/body", { "content-type": type }, { method: "POST", body });
    for (const body of ["{}", "not json", '{"title":"x","size":0}', '{"title":"x","more":1}']) {
      const { status, json, headers } = await post(body);
      expect([status, json]).toEqual([400, { message: "Invalid request body" }]);
      expect(headers.get("x-amzn-errortype")).toBe("BadRequestException");
    }
    expect((await post('{"title":"x","size":1}')).status).toBe(200);
    expect((await post('{"title":"x"}', "application/json; charset=utf-8")).status).toBe(200);
    expect((await post("{}", "text/plain")).status).toBe(200);
    expect((await call("/v/body")).status).toBe(400);
  });
});

function authorizer(event: LambdaEvent) {
  asked++;
  const token: string = (event.authorizationToken ?? event.headers["x-tenant"]).replace(
    "Bearer ",
    "",
  );
  const allow = (Resource: string, Effect = "Allow", context: object = {}) =>
    returns({
      principalId: "judge",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{ Action: "execute-api:Invoke", Effect, Resource }],
      },
      context: {
        number: 7,
        yes: true,
        saw: `${event.type} ${event.path} ${event.queryStringParameters?.u}`,
        ...context,
      },
    });
  switch (token) {
    case "allow":
      return allow("*");
    case "allow-exact":
      return allow(event.methodArn);
    case "deny":
      return allow(event.methodArn, "Deny");
    case "silent":
      return allow(`${apiArn}/t/GET/elsewhere`);
    case "unauth":
      return fails("Unauthorized");
    case "boom":
      return fails("boom");
    case "badctx":
      return allow("*", "Allow", { list: [1] });
    default:
      return returns({});
  }
}
