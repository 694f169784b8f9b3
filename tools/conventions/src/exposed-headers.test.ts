import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { exposedHeaders as exposedByApi } from "../../../packages/api/src/cors.ts";
import { document } from "../../../packages/openapi/src/document.ts";
import { readGatewayMethods } from "../../../packages/openapi/src/gateway-methods.ts";
import { safety } from "../../../packages/functions/src/deliver/response-headers.ts";

// A browser hides the response headers that Access-Control-Expose-Headers does not list from scripts of another origin, so
// every documented header must be in the list that its response carries. API, delivery and gateway have a list each.

/** The headers that a script may read without a list: https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name */
const SAFELISTED = ["cache-control", "content-language", "content-length", "content-type"];

type Resource = { id: string; type: string; inputs: Record<string, string> };
type Parameters = { responseParameters?: Record<string, string> };

const file = "infra/stack.json";
const { resources }: { resources: Resource[] } = JSON.parse(readFileSync(file, "utf8"));

const listed = (value: string | undefined) =>
  new Set(
    (value ?? "")
      .replaceAll("'", "")
      .split(",")
      .map((name) => name.trim().toLowerCase()),
  );

/** The list in a response of the gateway, which is a constant in its parameters. */
const constant = ({ inputs }: Resource, kind: string) =>
  listed((inputs as Parameters).responseParameters?.[`${kind}.Access-Control-Expose-Headers`]);

const gatewayErrors = resources
  .filter(({ type }) => type === "aws:apigateway/response:Response")
  .map((resource) => constant(resource, "gatewayresponse.header"));

type Responses = Record<string, { headers?: Record<string, unknown> }>;

const paths = document(readGatewayMethods(file)).paths as Record<
  string,
  Record<string, { operationId: string; responses: Responses }>
>;

const routes = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, { responses }]) => ({
    route: `${method.toUpperCase()} ${path}`,
    responses,
  })),
);

/** The lists that a response of the route may carry. A problem may also be the gateway's own. */
function listsOf(route: string, status: number): Set<string>[] {
  const [method, path] = route.split(" ") as [string, string];
  const problems = status >= 400 ? gatewayErrors : [];
  if (path.startsWith("/i/")) return [...problems, listed(safety["Access-Control-Expose-Headers"])];
  const own = integrationResponses(method, path);
  if (own.length === 0) return [...problems, listed(exposedByApi)];
  const ofStatus = own.filter(({ inputs }) => inputs["statusCode"] === String(status));
  return [...problems, ...ofStatus.map((resource) => constant(resource, "method.response.header"))];
}

/** The responses that the gateway makes itself, for the routes that run no function. */
function integrationResponses(method: string, path: string) {
  const name = path.slice(1);
  const resource = resources.find(
    ({ type, inputs }) =>
      type === "aws:apigateway/resource:Resource" && inputs["pathPart"] === name,
  );
  return resources.filter(
    ({ type, inputs }) =>
      type === "aws:apigateway/integrationResponse:IntegrationResponse" &&
      inputs["httpMethod"] === method &&
      inputs["resourceId"] === resource?.id,
  );
}

test("four routes are answered by the gateway itself", () => {
  const own = routes.filter(({ route }) => {
    const [method, path] = route.split(" ") as [string, string];
    return integrationResponses(method, path).length > 0;
  });
  expect(own.map(({ route }) => route)).toEqual(["GET /health", "GET /s3", "HEAD /s3", "PUT /s3"]);
});

test.each(routes)("a script may read every documented header of $route", ({ route, responses }) => {
  const hidden = Object.entries(responses).flatMap(([status, { headers = {} }]) =>
    Object.keys(headers)
      .filter((name) => !SAFELISTED.includes(name.toLowerCase()))
      .filter((name) =>
        listsOf(route, Number(status)).some((list) => !list.has(name.toLowerCase())),
      )
      .map((name) => `${name} of ${status}`),
  );
  expect(hidden).toEqual([]);
});
