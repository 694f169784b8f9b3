import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Bundle, bundle, root } from "../test/bundle.ts";
import { restEvent } from "../test/rest-event.ts";

// The modules that a cold start loads, as docs/adr/0013-cold-start.md decided.

let built: Bundle;

beforeAll(async () => {
  built = await bundle();
});

afterAll(() => built.remove());

/** The entry and every chunk that it imports before it can answer anything. */
function loadedAtStart() {
  const outputs = new Map(
    Object.entries(built.metafile.outputs).map(([path, output]) => [resolve(root, path), output]),
  );
  const loaded = new Set<string>();
  const load = (path: string) => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind, external } of outputs.get(path)!.imports) {
      if (kind === "import-statement" && !external) load(resolve(root, next));
    }
  };
  load(built.entry);
  return [...loaded].map((path) => outputs.get(path)!);
}

const packageOf = (input: string) =>
  /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? dirname(relative(".", input));

test("a cold start loads at most 120 KB", () => {
  const bytes = loadedAtStart().reduce((sum, output) => sum + output.bytes, 0);
  expect(bytes).toBeLessThanOrEqual(120_000);
});

test("a cold start loads Hono, zod, SST's links and our own code, and no other package", () => {
  const inputs = loadedAtStart().flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput ? path : [])),
  );
  const packages = new Set(inputs.map(packageOf));
  expect([...packages].toSorted()).toEqual([
    "hono",
    "packages/api/src",
    "packages/api/src/routes",
    "packages/core/src",
    "packages/http/src",
    // the delivery grammar, which needs nothing but zod
    "packages/imaging/src",
    "sst",
    "zod",
  ]);
});

test("the AWS SDK is in the bundle, and loaded on first use", () => {
  expect(Object.keys(built.metafile.inputs).map(packageOf)).toContain("@aws-sdk/client-dynamodb");
});

/** Calls the bundle once in a new process; returns the response and the modules that Node had loaded by then. */
function firstAnswer(event: object) {
  const file = join(built.folder, "first-answer.mjs");
  writeFileSync(
    file,
    `const { handler } = await import("./bundle.mjs");
     const answer = await handler(JSON.parse(process.argv[2]));
     console.log(JSON.stringify({ answer, modules: process.moduleLoadList }));`,
  );
  const out = execFileSync(process.execPath, [file, JSON.stringify(event)], { encoding: "utf8" });
  return JSON.parse(out) as { answer: { statusCode: number; body: string }; modules: string[] };
}

const undici = (modules: string[]) => modules.filter((name) => basename(name) === "undici");

test.each([
  ["a response", restEvent("GET", "/v1/me", { sub: "ann" }), 200],
  ["a rejection", restEvent("GET", "/v1/images", { query: { page: ["2"] } }), 400],
  [
    "a wrong body",
    restEvent("POST", "/v1/uploads", {
      sub: "ann",
      body: {},
      headers: { "content-type": "application/json" },
    }),
    400,
  ],
  ["an unknown route", restEvent("GET", "/v2"), 404],
])("%s does not load undici, which is half of a cold start", (_, event, status) => {
  const { answer, modules } = firstAnswer(event);
  expect(answer).toMatchObject({ statusCode: status });
  expect(modules.length).toBeGreaterThan(50);
  expect(undici(modules)).toEqual([]);
});

test("Node loads undici when Request is first read, and lists it among its modules", () => {
  const script = "void Request; console.log(JSON.stringify(process.moduleLoadList))";
  const out = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" });
  expect(undici(JSON.parse(out) as string[])).not.toEqual([]);
});
