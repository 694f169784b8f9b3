import { Problem } from "./response-schemas.ts";
import { type RouteSchemas, readRouteSchemas } from "./route-schemas.ts";
import type { Auth, GatewayMethod } from "./gateway-methods.ts";
import { type Header, headers } from "./headers.ts";
import { type ResponseDescription, type OperationDescription, operations } from "./operations.ts";
import {
  type Parameter,
  parametersOf,
  toReference,
  sharedParameters,
  toParameterObject,
} from "./parameters.ts";
import { type ProblemRef, codeOf, detailOf, statusOf } from "./problems.ts";
import { type Schemas, createSchemas } from "./schema.ts";
import * as Descriptions from "./descriptions.ts";

/**
 * The OpenAPI 3.1 document of the methods.
 * @throws Error naming a method without a description, or a description without a method
 */
export function document(methods: GatewayMethod[]) {
  const schemas = createSchemas();
  const problem = schemas.of(Problem, "output");
  const routeSchemas = readRouteSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const method of methods) {
    const key = `${method.method} ${method.path}`;
    const operation = operations[key];
    if (!operation)
      throw new Error(`${key} is in infra/stack.json and has no description in operations.ts`);
    (paths[method.path] ??= {})[method.method.toLowerCase()] = operationOf(
      method,
      operation,
      routeSchemas.get(key) ?? {},
      schemas,
    );
  }
  const known = new Set(methods.map(({ method, path }) => `${method} ${path}`));
  for (const key of Object.keys(operations))
    if (!known.has(key)) throw new Error(`${key} is in operations.ts and not in infra/stack.json`);

  return {
    openapi: "3.1.0",
    info: {
      title: "Balde",
      version: "1",
      description: Descriptions.about,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [
      {
        url: "/",
        description: "The stage; the copy of this document that the stage serves has its path.",
      },
    ],
    tags: Object.entries(Descriptions.tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: sorted(schemas.components),
      parameters: Object.fromEntries(
        sharedParameters.map((it) => [it.name, toParameterObject(it)]),
      ),
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, description]) => [
          name,
          { description, schema: { type: "string" } },
        ]),
      ),
      responses: {
        Problem: {
          description: "Any other error.",
          headers: headersOf(["x-amzn-RequestId"]),
          content: { "application/problem+json": { schema: problem } },
        },
      },
      securitySchemes: Descriptions.securitySchemes,
    },
  };
}

function operationOf(
  { method, path, auth, runsFunction }: GatewayMethod,
  operation: OperationDescription,
  { query, param, json }: RouteSchemas,
  schemas: Schemas,
) {
  const { id, tag, summary, description, responses, problems = [], imageBody } = operation;
  const readFromPath: Parameter[] = param
    ? parametersOf("path", param)
    : [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
        in: "path",
        name,
        required: true,
        ...Descriptions.pathParameters[name],
      }));
  const parameters = [
    ...readFromPath,
    ...(query ? parametersOf("query", query) : []),
    ...(operation.parameters ?? []),
  ].map(toReference);
  const hasInput = query ?? param ?? json;
  const failures: ProblemRef[] = [
    ...(hasInput ? (["input.invalid"] as const) : []),
    ...(json ? (["body.too_large"] as const) : []),
    ...problems,
    ...authProblems[auth],
    "gateway.throttled",
    ...(runsFunction
      ? ([
          "internal",
          "service.unavailable",
          "gateway.integration_failure",
          "gateway.integration_timeout",
        ] as const)
      : []),
  ];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    security: Descriptions.security[auth],
    ...(parameters.length > 0 && { parameters }),
    ...((json ?? imageBody) && { requestBody: body(json, imageBody, schemas) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([status, response]) => [
          status,
          responseOf(response, schemas),
        ]),
      ),
      ...Object.fromEntries(
        [...Map.groupBy(failures, statusOf)].map(([status, some]) => [
          status,
          problemOf(status, some.map(codeOf), method),
        ]),
      ),
      default: { $ref: "#/components/responses/Problem" },
    },
  };
}

/** The problems of the gateway when authentication fails, for each kind of it. */
const authProblems: Record<Auth, readonly ProblemRef[]> = {
  anyone: [],
  user: ["gateway.unauthorized"],
  key: ["gateway.invalid_api_key", "gateway.quota_exceeded"],
  operator: [
    "gateway.missing_authentication_token",
    "gateway.invalid_signature",
    "gateway.access_denied",
  ],
};

function body(
  json: RouteSchemas["json"],
  imageBody: readonly string[] | undefined,
  schemas: Schemas,
) {
  const content = json
    ? { "application/json": { schema: schemas.of(json, "input") } }
    : Object.fromEntries((imageBody ?? []).map((type) => [type, {}]));
  return { required: true, content };
}

function responseOf(
  { description, json, bytes, headers = [] }: ResponseDescription,
  schemas: Schemas,
) {
  const content = (json || bytes) && {
    ...Object.fromEntries((bytes ?? []).map((type) => [type, {}])),
    ...(json && { "application/json": { schema: schemas.of(json, "output") } }),
  };
  return {
    description,
    headers: headersOf([...headers, "x-amzn-RequestId"]),
    ...(content && { content }),
  };
}

/** The response of all problems with one status. A HEAD has no body. */
function problemOf(status: number, codes: ReturnType<typeof codeOf>[], method: string) {
  const later =
    status === 429 ||
    status === 503 ||
    codes.some((code) => code === "image.not_ready" || code === "idempotency.in_progress");
  return {
    description: codes.map((code) => `\`${code}\`: ${detailOf(code)}`).join("\n\n"),
    headers: headersOf([...(later ? (["Retry-After"] as const) : []), "x-amzn-RequestId"]),
    ...(method !== "HEAD" && {
      content: {
        "application/problem+json": {
          schema: {
            allOf: [
              { $ref: "#/components/schemas/Problem" },
              { type: "object", properties: { code: { enum: codes } } },
            ],
          },
        },
      },
    }),
  };
}

const headersOf = (names: readonly Header[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const sorted = <Value>(record: Record<string, Value>) =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
