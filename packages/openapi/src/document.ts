import { Problem } from "./response-schemas.ts";
import { type Doors, doors } from "./route-schemas.ts";
import type { Auth, Method } from "./gateway-methods.ts";
import { type Header, headers } from "./headers.ts";
import { type Answer, type Operation, operations } from "./operations.ts";
import { type Parameter, fromDoor, reference, shared, written } from "./parameters.ts";
import { type Failure, codeOf, detailOf, statusOf } from "./problems.ts";
import { type Schemas, createSchemas } from "./schema.ts";
import * as Descriptions from "./descriptions.ts";

/** The whole document, OpenAPI 3.1. Throws when a method of the gateway has no description, or a description no method. */
export function document(methods: Method[]) {
  const schemas = createSchemas();
  const problem = schemas.of(Problem, "output");
  const told = doors();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const method of methods) {
    const key = `${method.method} ${method.path}`;
    const operation = operations[key];
    if (!operation) throw new Error(`${key} is in the graph and not in operations.ts`);
    (paths[method.path] ??= {})[method.method.toLowerCase()] = operationOf(
      method,
      operation,
      told.get(key) ?? {},
      schemas,
    );
  }
  const known = new Set(methods.map(({ method, path }) => `${method} ${path}`));
  for (const key of Object.keys(operations))
    if (!known.has(key)) throw new Error(`${key} is in operations.ts and not in the graph`);

  return {
    openapi: "3.1.0",
    info: {
      title: "Balde",
      version: "1",
      description: Descriptions.about,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [
      { url: "/", description: "The stage; its own copy of this document says where it is." },
    ],
    tags: Object.entries(Descriptions.tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: sorted(schemas.components),
      parameters: Object.fromEntries(shared.map((it) => [it.name, written(it)])),
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, description]) => [
          name,
          { description, schema: { type: "string" } },
        ]),
      ),
      responses: {
        Problem: {
          description: "Any other failure.",
          headers: headersOf(["x-amzn-RequestId"]),
          content: { "application/problem+json": { schema: problem } },
        },
      },
      securitySchemes: Descriptions.securitySchemes,
    },
  };
}

function operationOf(
  { method, path, auth, runs }: Method,
  operation: Operation,
  { query, param, json }: Doors,
  schemas: Schemas,
) {
  const { id, tag, summary, says, answers, fails = [], picture } = operation;
  const readFromPath: Parameter[] = param
    ? fromDoor("path", param)
    : [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
        in: "path",
        name,
        required: true,
        ...Descriptions.pathParameters[name],
      }));
  const parameters = [
    ...readFromPath,
    ...(query ? fromDoor("query", query) : []),
    ...(operation.parameters ?? []),
  ].map(reference);
  const hasInput = query ?? param ?? json;
  const failures: Failure[] = [
    ...(hasInput ? (["input.invalid"] as const) : []),
    ...fails,
    ...refusals[auth],
    "gateway.throttled",
    ...(runs
      ? (["internal", "gateway.integration_failure", "gateway.integration_timeout"] as const)
      : []),
  ];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(says && { description: says }),
    security: Descriptions.security[auth],
    ...(parameters.length > 0 && { parameters }),
    ...((json ?? picture) && { requestBody: body(json, picture, schemas) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, answerOf(answer, schemas)]),
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

/** Who is not let through hears it from the gateway. */
const refusals: Record<Auth, readonly Failure[]> = {
  anyone: [],
  user: ["gateway.unauthorized"],
  key: ["gateway.invalid_api_key", "gateway.quota_exceeded"],
  operator: [
    "gateway.missing_authentication_token",
    "gateway.invalid_signature",
    "gateway.access_denied",
  ],
};

function body(json: Doors["json"], picture: readonly string[] | undefined, schemas: Schemas) {
  const content = json
    ? { "application/json": { schema: schemas.of(json, "input") } }
    : Object.fromEntries((picture ?? []).map((type) => [type, {}]));
  return { required: true, content };
}

function answerOf({ says, json, bytes, headers = [] }: Answer, schemas: Schemas) {
  const content = json
    ? { "application/json": { schema: schemas.of(json, "output") } }
    : bytes && Object.fromEntries(bytes.map((type) => [type, {}]));
  return {
    description: says,
    headers: headersOf([...headers, "x-amzn-RequestId"]),
    ...(content && { content }),
  };
}

/** A HEAD has a problem's status and no body. */
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
