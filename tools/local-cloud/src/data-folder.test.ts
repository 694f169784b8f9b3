import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { openDataFolder } from "./data-folder.ts";
import { StartError } from "./start-error.ts";

const folder = mkdtempSync(join(tmpdir(), "data-folder-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a secret is random, and the same one after a restart", () => {
  const path = join(folder, "a/b/c");
  const first = openDataFolder(path);
  const value = first.secret("cursor");
  expect(value).toMatch(/^[\w-]{43}$/);
  expect(first.secret("other")).not.toBe(value);
  first.close();
  const second = openDataFolder(path);
  expect(second.secret("cursor")).toBe(value);
  second.close();
});

test("a folder that is in use is refused, with its path", () => {
  const path = join(folder, "used");
  const open = openDataFolder(path);
  expect(() => openDataFolder(path)).toThrow(StartError);
  expect(() => openDataFolder(path)).toThrow(`Another local cloud uses ${path}`);
  open.close();
  openDataFolder(path).close();
});

test("a folder that cannot be made is refused, with its path", () => {
  writeFileSync(join(folder, "file"), "");
  const path = join(folder, "file/data");
  expect(() => openDataFolder(path)).toThrow(`Cannot make the folder ${path}`);
});
