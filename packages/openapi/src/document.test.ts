import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { validate as validated } from "@readme/openapi-parser";
import { Validator } from "@seriousme/openapi-schema-validator";
import openapiTs, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";

import { codes } from "../../client/src/problem.ts";
import { document } from "./document.ts";
import { readGatewayMethods } from "./gateway-methods.ts";
import { problems } from "./problems.ts";

const root = join(import.meta.dirname, "../../..");
const graph = readGatewayMethods(join(root, "infra/stack.json"));
const made = () => structuredClone(document(graph));

test("two validators by other authors accept the document", async () => {
  const { valid, errors } = await new Validator().validate(made());
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  expect(await validated(made() as never)).toMatchObject({ valid: true });
});

test("openapi.json is up to date", () => {
  const written = readFileSync(join(root, "packages/api/src/openapi.json"), "utf8");
  expect(JSON.parse(written)).toEqual(made());
});

test("a route without a description and a description without a route are errors", () => {
  expect(() =>
    document([...graph, { method: "GET", path: "/v1/new", auth: "anyone", runsFunction: true }]),
  ).toThrow("GET /v1/new is in infra/stack.json");
  expect(() => document(graph.slice(1))).toThrow("is in operations.ts and not in infra/stack.json");
});

test("every operation has a unique id and its authentication", () => {
  const operations = Object.values(document(graph).paths).flatMap((path) =>
    Object.values(path as Record<string, { operationId: string; security: object[] }>),
  );
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(
    expect.arrayContaining(["listImages", "createUpload", "getImage", "putLike"]),
  );
  const by = Object.groupBy(operations, ({ security }) => Object.keys(security[0] ?? {})[0] ?? "");
  expect(by["apiKey"]!.map(({ operationId }) => operationId)).toEqual([
    "listImagesAsPartner",
    "getImageAsPartner",
  ]);
  expect(by["idToken"]!.length).toBe(graph.filter(({ auth }) => auth === "user").length);
});

test("problems that end by themselves document Retry-After, others do not", () => {
  type Responses = Record<string, { headers?: object }>;
  const paths = document(graph).paths as Record<string, Record<string, { responses: Responses }>>;
  const has = (path: string, method: string, status: number) =>
    "Retry-After" in (paths[path]![method]!.responses[status]!.headers ?? {});
  // image.not_ready, idempotency.in_progress, delivery.busy, gateway.throttled
  expect(has("/i/{id}", "get", 404)).toBe(true);
  expect(has("/v1/uploads", "post", 409)).toBe(true);
  expect(has("/i/{id}", "get", 503)).toBe(true);
  expect(has("/v1/images", "get", 429)).toBe(true);
  expect(has("/v1/images/{id}", "get", 404)).toBe(false);
  expect(has("/v1/images", "get", 400)).toBe(false);
});

test("the document has every error code of the client", () => {
  // the gateway only passes on the routes of its graph, so no client gets this code
  const known = codes.filter((code) => code !== "route.not_found");
  expect(known.filter((code) => !(code in problems))).toEqual([]);
});

test("the document says that an API key is not authentication", () => {
  const { apiKey } = document(graph).components.securitySchemes;
  expect(apiKey.description).toMatch(/not authentication/);
  expect(apiKey.description).toMatch(/gateway\.quota_exceeded/);
});

test("a generated client compiles with correct input and fails with wrong input", async () => {
  const folder = mkdtempSync(join(tmpdir(), "balde-openapi-"));
  try {
    writeFileSync(join(folder, "api.ts"), astToString(await openapiTs(made() as never)));
    const use = (type: string) => `
      import type { operations } from "./api.ts";
      type Create = operations["createUpload"];
      export const body: Create["requestBody"]["content"]["application/json"] = { type: ${type}, bytes: 3 };
      export const likes = (it: operations["putLike"]["responses"][200]["content"]["application/json"]): number => it.likes;`;
    writeFileSync(join(folder, "right.ts"), use('"image/png"'));
    writeFileSync(join(folder, "wrong.ts"), use("7"));
    expect(compiled(folder, "right.ts")).toBe("");
    expect(compiled(folder, "wrong.ts")).toContain("not assignable to type 'string'");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Returns the complaints of the compiler. */
function compiled(folder: string, file: string) {
  const tsc = join(root, "node_modules/.bin/tsc");
  const options = "--noEmit --strict --skipLibCheck --allowImportingTsExtensions --module nodenext";
  try {
    execFileSync(tsc, [...options.split(" "), file], { cwd: folder, stdio: "pipe" });
    return "";
  } catch (failure) {
    return String((failure as { stdout: Buffer }).stdout);
  }
}
