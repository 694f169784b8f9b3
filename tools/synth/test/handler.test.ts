import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import * as Handler from "../src/handler.ts";

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "balde-handler-"));
  mkdirSync(join(root, "src"));
  writeFileSync(join(root, "src/like.ts"), "export const handler = async (id: string) => id;\n");
});

afterAll(() => rmSync(root, { recursive: true }));

test("an existing handler has no problem", async () => {
  expect(await Handler.findProblem(root, "src/like.handler")).toBeUndefined();
});

test("a missing file is named", async () => {
  expect(await Handler.findProblem(root, "src/unlike.handler")).toContain(
    "src/unlike.ts does not exist",
  );
});

test("an export that does not exist is refused, with the names that do", async () => {
  expect(await Handler.findProblem(root, "src/like.main")).toContain("src/like.ts exports handler");
});
