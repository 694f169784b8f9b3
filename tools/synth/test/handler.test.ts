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

test("a handler that is there is no fault", async () => {
  expect(await Handler.fault(root, "src/like.handler")).toBeUndefined();
});

test("a file that is missing is named", async () => {
  expect(await Handler.fault(root, "src/unlike.handler")).toContain("src/unlike.ts does not exist");
});

test("a name that the file does not export is refused, with the names that it does", async () => {
  expect(await Handler.fault(root, "src/like.main")).toContain("src/like.ts exports handler");
});
