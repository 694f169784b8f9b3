import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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

/** Runs work without root's rights, which write everywhere. */
function asOther<Result>(work: () => Result): Result {
  if (process.geteuid!() !== 0) return work();
  process.seteuid!(65_534);
  try {
    return work();
  } finally {
    process.seteuid!(0);
  }
}

test.each([
  ["that was never used", () => {}],
  ["that was used before", (path: string) => openDataFolder(path).close()],
])("a folder %s and cannot be written is refused, with its path and what to do", (_, use) => {
  const path = mkdtempSync(join(folder, "read-only-"));
  use(path);
  chmodSync(folder, 0o755);
  chmodSync(path, 0o555);
  for (const file of readdirSync(path)) chmodSync(join(path, file), 0o444);
  const open = () => asOther(() => openDataFolder(path));
  expect(open).toThrow(StartError);
  expect(open).toThrow(`Cannot write to the folder ${path}`);
  expect(open).toThrow("--data");
});

test.each(["state.sqlite", "lock.sqlite"])(
  "a damaged %s is refused, with its path and what to do, and is left as it is",
  (name) => {
    const path = mkdtempSync(join(folder, "damaged-"));
    openDataFolder(path).close();
    const file = join(path, name);
    writeFileSync(file, "not a database".repeat(1_000));
    expect(() => openDataFolder(path)).toThrow(StartError);
    expect(() => openDataFolder(path)).toThrow(new RegExp(`^${file} is damaged.*delete`));
    expect(readFileSync(file, "utf8")).toMatch(/^not a database/);
    // the lock was given back
    rmSync(file);
    openDataFolder(path).close();
  },
);
