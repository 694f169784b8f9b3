import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// violations that the linter must refuse: file and content
const planted = {
  "packages/core/src/a.ts": `import { Hono } from "hono";\nexport const app = new Hono();`,
  "packages/core/src/b.ts": `import sharp from "sharp";\nexport const pixels = sharp();`,
  "packages/core/src/c.ts": `import { plan } from "@balde/imaging/plan";\nexport const p = plan;`,
  "packages/core/src/d.schema.ts": `import { ulid } from "ulid";\nexport const id = ulid();`,
  "packages/core/src/e.schema.ts": `import { get } from "./a.ts";\nexport const g = get;`,
  "packages/imaging/src/a.ts": `import { S3Client } from "@aws-sdk/client-s3";\nexport const s3 = new S3Client();`,
  "packages/imaging/src/b.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
  "packages/api/src/a.ts": `import { DynamoDBClient } from "@aws-sdk/client-dynamodb";\nexport const d = new DynamoDBClient();`,
  "packages/api/src/b.ts": `import { plan } from "@balde/imaging/plan";\nexport const p = plan;`,
  "packages/http/src/a.ts": `import { Hono } from "hono";\nexport const app = new Hono();`,
  "packages/http/src/b.ts": `import { VisibleError } from "@balde/core/error";\nexport const E = VisibleError;`,
  "packages/http/src/c.ts": `import type { Refusal } from "@balde/imaging/refusal";\nexport type R = Refusal;`,
  "packages/functions/src/a.ts": `import { app } from "@balde/api/app";\nexport const a = app;`,
  "packages/client/src/a.ts": `import { app } from "@balde/api/app";\nexport const a = app;`,
  "packages/client/src/b.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
  "packages/client/src/c.ts": `import { readFileSync } from "node:fs";\nexport const read = readFileSync;`,
  "packages/client/src/f.ts": `import { responses } from "@balde/http/problem";\nexport const r = responses;`,
  "tools/local-cloud/src/a.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
  "tools/synth/src/a.ts": `import { startCloud } from "@balde/local-cloud";\nexport const s = startCloud;`,
  "packages/openapi/src/a.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
  "tools/e2e/src/a.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
  "infra/a.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
  "packages/core/src/f.ts": `export async function save() {}\nexport function forget() {\n  save();\n}`,
  "packages/core/src/g.ts": `import { h } from "./h.ts";\nexport const g = () => h();`,
  "packages/core/src/h.ts": `import { g } from "./g.ts";\nexport const h = (): unknown => g();`,
  "packages/core/src/k.ts": `import type { L } from "./l.ts";\nexport type K = { l: L };`,
  "packages/core/src/l.ts": `import type { K } from "./k.ts";\nexport type L = { k: K };`,
  "packages/core/src/i.test.ts": `import { test, vi } from "vitest";\nvi.mock("./a.ts");\ntest("x", () => {});`,
};

// imports that the linter must accept, so that a rule that forbids everything is noticed too
const allowed = {
  "packages/http/src/d.ts": `import type { Kind } from "@balde/core/error";\nexport type K = Kind;`,
  "packages/client/src/d.ts": `import type { App } from "@balde/api/app";\nexport type A = App;`,
  "packages/client/src/e.ts": `import { Info } from "@balde/core/image.schema";\nexport const i = Info;`,
  "packages/openapi/src/b.ts": `import { Info } from "@balde/core/image.schema";\nexport const i = Info;`,
  "packages/api/src/d.ts": `import { print } from "@balde/imaging/request.schema";\nexport const p = print;`,
  "packages/api/src/c.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
  "packages/functions/src/c.ts": `import { parse } from "@balde/http/range";\nexport const p = parse;`,
  "packages/api/src/e.ts": `import { parse } from "@balde/http/etag";\nexport const p = parse;`,
  "packages/client/src/g.ts": `import type { Problem } from "@balde/http/problem";\nexport type P = Problem;`,
  "packages/core/src/j.schema.ts": `import * as z from "zod/mini";\nexport const s = z.string();`,
  "packages/functions/src/b.ts": `import * as Image from "@balde/core/image";\nexport const get = Image.get;`,
};

let folder: string;
let complaints: { filename: string; code?: string }[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "balde-planted-"));
  cpSync(".oxlintrc.json", join(folder, ".oxlintrc.json"));
  cpSync("tsconfig.json", join(folder, "tsconfig.json"));
  symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
  for (const [file, text] of Object.entries({ ...planted, ...allowed })) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `${text}\n`);
  }
  complaints = lint();
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

function lint() {
  const oxlint = join(process.cwd(), "node_modules/.bin/oxlint");
  try {
    execFileSync(oxlint, ["--type-aware", "--format", "json"], { cwd: folder, stdio: "pipe" });
    return [];
  } catch (failure) {
    const { stdout } = failure as { stdout: Buffer };
    const found: { diagnostics: { filename: string; severity: string; code?: string }[] } =
      JSON.parse(stdout.toString());
    return found.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  }
}

test.each(Object.entries(planted))("the linter refuses the violation in %s", (file) => {
  expect(complaints.map((complaint) => complaint.filename)).toContain(file);
});

test.each(Object.keys(allowed))("the linter accepts %s", (file) => {
  expect(complaints.filter((complaint) => complaint.filename === file)).toEqual([]);
});
