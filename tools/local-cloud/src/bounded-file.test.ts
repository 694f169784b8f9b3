import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, expect, test } from "vitest";

import { openBoundedFile, readBoundedFile } from "./bounded-file.ts";

const folder = mkdtempSync(join(tmpdir(), "local-cloud-bounded-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const silent = () => {};
const line = (n: number) => `line ${String(n).padStart(6, "0")}`;

test("the newest lines are kept, in at most two files of the given size", async () => {
  const path = join(folder, "many", "lines.log");
  for (let round = 0; round < 40; round++) {
    const file = openBoundedFile(path, 1_000, silent);
    for (let n = 0; n < 20; n++) file.append(line(round * 20 + n));
    file.close();
  }
  expect(readdirSync(join(folder, "many")).toSorted()).toEqual(["lines.log", "lines.log.1"]);
  for (const name of ["lines.log", "lines.log.1"])
    expect(statSync(join(folder, "many", name)).size).toBeLessThanOrEqual(1_000);
  const kept = readBoundedFile(path).filter(Boolean);
  expect(kept.length).toBeGreaterThan(1_000 / 12);
  expect(kept).toEqual(kept.map((_, at) => line(800 - kept.length + at)));
});

test("a line is written to disk without closing the file", async () => {
  const path = join(folder, "soon.log");
  const file = openBoundedFile(path, 1_000, silent);
  file.append("here");
  await wait(200);
  expect(readBoundedFile(path)).toContain("here");
  file.close();
});

test("half a line of a killed process does not join the next line", () => {
  const path = join(folder, "half.log");
  appendFileSync(path, "whole\nhal");
  const file = openBoundedFile(path, 1_000, silent);
  file.append("next");
  file.close();
  expect(readBoundedFile(path)).toEqual(["whole", "hal", "next", ""]);
});

test("a full disk is logged once and does not throw", () => {
  const warnings: string[] = [];
  const path = join(folder, "blocked.log");
  const file = openBoundedFile(path, 1_000, (message) => warnings.push(message));
  mkdirSync(path);
  file.append("one");
  file.close();
  file.append("two");
  file.close();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(path);
});
