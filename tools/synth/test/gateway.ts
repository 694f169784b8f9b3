import { describe, expect, test } from "vitest";

import { resourceNamed, resourcesOfType, parentOf } from "../src/graph.ts";
import * as Read from "./read.ts";

/** Rules for the API's routes. The snapshot of credentials per route is the second table that a reviewer must read. */
export const gateway = (graphs: () => Read.Graphs) =>
  describe("gateway", () => {
    test("each route requires these credentials and has this integration", () => {
      const { laptop } = graphs();
      const table = Read.endpoints(laptop)
        .filter(({ method }) => method.inputs.httpMethod !== "OPTIONS")
        .map(({ route, method, integration }) => {
          const { authorization, apiKeyRequired } = method.inputs;
          const handler = Read.functions(laptop).find(({ outputs }) =>
            integration.inputs.uri?.includes(outputs.arn),
          );
          const by = handler ? Read.logical(laptop, handler) : integration.inputs.type;
          return `${route}: ${authorization}${apiKeyRequired ? " + key" : ""} → ${by}`;
        });
      expect(table).toMatchInlineSnapshot(`
        [
          "DELETE /admin/v1/images/{imageId}: AWS_IAM → Admin",
          "POST /admin/v1/redrive: AWS_IAM → Admin",
          "POST /admin/v1/reprocess: AWS_IAM → Admin",
          "GET /admin/v1/state: AWS_IAM → Admin",
          "DELETE /admin/v1/users/{userId}: AWS_IAM → Admin",
          "GET /docs: NONE → ApiHandler",
          "GET /health: NONE → MOCK",
          "GET /i/{id}/{rev}/{preset}: NONE → Deliver",
          "HEAD /i/{id}/{rev}/{preset}: NONE → Deliver",
          "GET /i/{id}/{rev}: NONE → Deliver",
          "HEAD /i/{id}/{rev}: NONE → Deliver",
          "GET /i/{id}: NONE → Deliver",
          "HEAD /i/{id}: NONE → Deliver",
          "GET /openapi.json: NONE → ApiHandler",
          "GET /partner/v1/images/{id}: NONE + key → ApiHandler",
          "GET /partner/v1/images: NONE + key → ApiHandler",
          "GET /s3: NONE → AWS",
          "HEAD /s3: NONE → AWS",
          "PUT /s3: COGNITO_USER_POOLS → AWS",
          "DELETE /v1/images/{id}/like: COGNITO_USER_POOLS → ApiHandler",
          "PUT /v1/images/{id}/like: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/images/{id}/likes: NONE → ApiHandler",
          "POST /v1/images/{id}/urls: COGNITO_USER_POOLS → ApiHandler",
          "DELETE /v1/images/{id}: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/images/{id}: NONE → ApiHandler",
          "PATCH /v1/images/{id}: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/images: NONE → ApiHandler",
          "POST /v1/images: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/me/images/{id}: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/me/images: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/me/likes: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/me/usage: COGNITO_USER_POOLS → ApiHandler",
          "DELETE /v1/me: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/me: COGNITO_USER_POOLS → ApiHandler",
          "POST /v1/uploads/{id}/complete: COGNITO_USER_POOLS → ApiHandler",
          "POST /v1/uploads/{id}/form: COGNITO_USER_POOLS → ApiHandler",
          "POST /v1/uploads/{id}/parts: COGNITO_USER_POOLS → ApiHandler",
          "DELETE /v1/uploads/{id}: COGNITO_USER_POOLS → ApiHandler",
          "GET /v1/uploads/{id}: COGNITO_USER_POOLS → ApiHandler",
          "POST /v1/uploads: COGNITO_USER_POOLS → ApiHandler",
        ]
      `);
    });

    test("writes and personal reads under /v1 require a token of the user pool", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const pool = resourcesOfType(graph, "aws:cognito/userPool:UserPool")[0]!;
        const authorizer = resourcesOfType(graph, "aws:apigateway/authorizer:Authorizer")[0]!;
        expect(authorizer.inputs).toMatchObject({
          type: "COGNITO_USER_POOLS",
          providerArns: [pool.outputs.arn],
        });
        const guarded = Read.endpoints(graph).filter(
          ({ route, path }) =>
            (/^(POST|PUT|PATCH|DELETE) \/v1\//.test(route) ||
              /^\/v1\/(me|uploads)(\/|$)/.test(path)) &&
            !route.startsWith("OPTIONS"),
        );
        expect(guarded.length).toBeGreaterThan(8);
        const lax = guarded.filter(
          ({ method: { inputs } }) =>
            inputs.authorization !== "COGNITO_USER_POOLS" || inputs.authorizerId !== authorizer.id,
        );
        expect(lax.map(({ route }) => route)).toEqual([]);
      }
    });

    test("only the operators' routes require an AWS signature", () => {
      const signed = Read.endpoints(graphs().laptop).filter(
        ({ method }) => method.inputs.authorization === "AWS_IAM",
      );
      expect(signed.map(({ path }) => path)).toEqual(
        Read.endpoints(graphs().laptop)
          .filter(({ path, route }) => path.startsWith("/admin/") && !route.startsWith("OPTIONS"))
          .map(({ path }) => path),
      );
      expect(signed).toHaveLength(5);
    });

    test("only /partner requires an API key, and each key is in a plan with a rate and a quota", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const keyed = Read.endpoints(graph).filter(({ method }) => method.inputs.apiKeyRequired);
        expect(keyed.map(({ route }) => route)).toEqual([
          "GET /partner/v1/images/{id}",
          "GET /partner/v1/images",
        ]);
        const stage = resourcesOfType(graph, "aws:apigateway/stage:Stage")[0]!;
        const plans = resourcesOfType(graph, "aws:apigateway/usagePlan:UsagePlan");
        expect(plans.map(({ name }) => name)).toEqual([
          "PartnerPlanUsagePlan",
          "TrialPlanUsagePlan",
        ]);
        for (const { id, inputs } of plans) {
          expect(inputs.apiStages).toEqual([
            { apiId: stage.inputs.restApi, stage: stage.inputs.stageName },
          ]);
          expect(inputs.throttleSettings.rateLimit).toBeGreaterThan(0);
          expect(inputs.quotaSettings.limit).toBeGreaterThan(0);
          const members = resourcesOfType(graph, "aws:apigateway/usagePlanKey:UsagePlanKey").filter(
            (member) => member.inputs.usagePlanId === id,
          );
          expect(members).toHaveLength(1);
        }
        // AWS generates the values; none is in the graph
        const keys = resourcesOfType(graph, "aws:apigateway/apiKey:ApiKey");
        expect(keys.map(({ inputs }) => inputs.value)).toEqual([undefined, undefined]);
      }
    });

    test("every path answers a preflight request without credentials, with its methods", () => {
      const { laptop } = graphs();
      const endpoints = Read.endpoints(laptop);
      const paths = [...new Set(endpoints.map(({ path }) => path))];
      const said = paths.map((path) => {
        const { method, integration, responses } = Read.endpoint(laptop, `OPTIONS ${path}`) ?? {};
        const { responseParameters = {}, statusCode } = responses?.[0]?.inputs ?? {};
        const header = (name: string) =>
          Read.constantOf(responseParameters[`method.response.header.${name}`] ?? "")?.split(",");
        return {
          path,
          authorization: method?.inputs.authorization,
          isKeyed: method?.inputs.apiKeyRequired ?? false,
          type: integration?.inputs.type,
          statusCode,
          methods: new Set(header("Access-Control-Allow-Methods")),
          takesTokens: header("Access-Control-Allow-Headers")?.includes("authorization"),
        };
      });
      expect(said).toEqual(
        paths.map((path) => ({
          path,
          authorization: "NONE",
          isKeyed: false,
          type: "MOCK",
          statusCode: "204",
          methods: new Set(
            endpoints
              .filter((other) => other.path === path)
              .map(({ method }) => method.inputs.httpMethod),
          ),
          takesTokens: true,
        })),
      );
    });

    test("in production every response names the one configured origin and never `*`", () => {
      const { production } = graphs();
      const origins = production.resources.flatMap(({ inputs }) =>
        Object.entries(inputs.responseParameters ?? {})
          .filter(([header]) => header.endsWith("Access-Control-Allow-Origin"))
          .map(([, value]) => value),
      );
      const templates = production.resources.flatMap(({ inputs }) =>
        Object.values<string>(inputs.responseTemplates ?? {}),
      );
      // a method response only declares the header
      expect(new Set(origins.filter((value) => value !== true))).toEqual(
        new Set(["'https://balde.example'"]),
      );
      expect(templates.filter((template) => template.includes("localhost"))).toEqual([]);
      const { environment } = resourceNamed(production, "ApiHandlerFunction").inputs;
      expect(environment.variables.ORIGINS).toBe("https://balde.example");
    });

    test("a front end can read the response headers", () => {
      for (const { inputs } of resourcesOfType(graphs().laptop, "aws:apigateway/response:Response"))
        expect(
          inputs.responseParameters["gatewayresponse.header.Access-Control-Expose-Headers"],
        ).toBe(
          "'Content-Range,ETag,Idempotency-Replayed,Link,Location,Retry-After,x-amzn-RequestId'",
        );
    });

    test("the deployment depends on every resource of the API", () => {
      for (const graph of Object.values(graphs())) {
        const deployment = resourcesOfType(graph, "aws:apigateway/deployment:Deployment")[0]!;
        const parts = graph.resources.filter(({ type }) =>
          /^aws:apigateway\/(method|integration|methodResponse|integrationResponse|response|requestValidator|model):/.test(
            type,
          ),
        );
        expect(parts.length).toBeGreaterThan(100);
        const waits = new Set(deployment.dependsOn);
        expect(parts.filter(({ urn }) => !waits.has(urn)).map(({ name }) => name)).toEqual([]);
      }
    });

    test("a change of a raw resource triggers a deployment, as a change of a route does", () => {
      const { laptop, production } = graphs();
      const [here, there] = [laptop, production].map(
        (graph) =>
          resourcesOfType(graph, "aws:apigateway/deployment:Deployment")[0]!.inputs.triggers,
      );
      // the stages differ in both: in the functions behind the routes and in the allowed origins
      expect(here.routes).toMatch(/^[0-9a-f]{64}$/);
      expect(here.routes).not.toBe(there.routes);
      expect(here.byHand).toMatch(/^[0-9a-f]{64}$/);
      expect(here.byHand).not.toBe(there.byHand);
    });

    test("every mapped response is declared, and every mock has a response", () => {
      const undeclared = Read.endpoints(graphs().laptop)
        .filter(({ integration }) => integration.inputs.type !== "AWS_PROXY")
        .flatMap(({ route, responses, methodResponses }) => {
          if (responses.length === 0) return [`${route} has no answer`];
          return responses.flatMap(({ inputs: { statusCode, responseParameters } }) => {
            const declared = methodResponses.find(({ inputs }) => inputs.statusCode === statusCode);
            const headers = Object.keys(declared?.inputs.responseParameters ?? {});
            return Object.keys(responseParameters ?? {})
              .filter((header) => !headers.includes(header))
              .map((header) => `${route} ${statusCode} ${header}`);
          });
        });
      expect(undeclared).toEqual([]);
    });

    test("a mock's response is text for every Accept header", () => {
      const mocks = resourcesOfType(
        graphs().laptop,
        "aws:apigateway/integration:Integration",
      ).filter(({ inputs }) => inputs.type === "MOCK");
      expect(mocks.length).toBeGreaterThan(10);
      for (const { inputs } of mocks) expect(inputs.contentHandling).toBe("CONVERT_TO_TEXT");
    });

    test("deliver streams its responses, other functions answer buffered", () => {
      const proxies = Read.endpoints(graphs().laptop).filter(
        ({ integration }) => integration.inputs.type === "AWS_PROXY",
      );
      const modes = proxies.map(({ route, integration: { inputs } }) => [
        route,
        inputs.responseTransferMode,
        /\/(20\d\d-\d\d-\d\d)\/functions\//.exec(inputs.uri)?.[1],
      ]);
      expect(modes).toEqual(
        proxies.map(({ route, path }) =>
          path.startsWith("/i/")
            ? [route, "STREAM", "2021-11-15"]
            : [route, "BUFFERED", "2015-03-31"],
        ),
      );
    });

    test("a function times out before the gateway does", () => {
      const { laptop } = graphs();
      for (const name of ["ApiHandlerFunction", "DeliverFunction", "AdminFunction"])
        expect(
          Read.functions(laptop).find((handler) => handler.name === name)!.inputs.timeout,
        ).toBeLessThan(29);
    });

    test("an uploaded image stays bytes", () => {
      const [api] = resourcesOfType(graphs().laptop, "aws:apigateway/restApi:RestApi");
      expect(api!.inputs.binaryMediaTypes).toEqual(["image/*", "application/octet-stream"]);
      expect(api!.inputs.endpointConfiguration.types).toBe("REGIONAL");
    });

    test("the stage traces, has metrics, and logs one line of JSON without credentials", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const stage = resourcesOfType(graph, "aws:apigateway/stage:Stage")[0]!;
        const log = JSON.parse(stage.inputs.accessLogSettings.format);
        expect(stage.inputs).toMatchObject({ stageName: graph.stage, xrayTracingEnabled: true });
        expect(log).toMatchObject({
          requestId: "$context.requestId",
          route: "$context.resourcePath",
        });
        expect(JSON.stringify(log)).not.toMatch(
          /authorization|querystring|\$context\.identity\.apiKey"/i,
        );
        const throttle = resourcesOfType(graph, "aws:apigateway/methodSettings:MethodSettings")[0]!;
        expect(throttle.inputs.methodPath).toBe("*/*");
        expect(throttle.inputs.settings.throttlingRateLimit).toBeGreaterThan(0);
        expect(parentOf(graph, stage)?.name).toBe("Api");
      }
    });
  });
