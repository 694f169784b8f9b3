import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import * as TemporaryFolder from "./temporary-folder.ts";

let tmp: string;
beforeAll(() => {
  tmp = mkdtempSync(join(tmpdir(), "temporary-folder-"));
  vi.stubEnv("TMPDIR", tmp);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(tmp, { recursive: true });
});

/** The id of a process that has ended. */
const endedPid = () =>
  Number(execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }));

const folderOf = (pid: number | string) => {
  const folder = join(tmp, `balde-${pid}-a1b2c3`);
  mkdirSync(folder);
  writeFileSync(join(folder, "image"), "left behind");
  return folder;
};

test("what killed processes have left is removed, also when this process has the id of one of them", async () => {
  // the process that started this one runs
  const running = folderOf(process.ppid);
  const others = [folderOf("notes"), join(tmp, "balde.txt")];
  writeFileSync(others[1]!, "not a folder of ours");
  const left = [folderOf(endedPid()), folderOf(process.pid)];
  const folder = await TemporaryFolder.create();
  expect(left.filter(existsSync)).toEqual([]);
  expect([running, ...others, folder].filter((path) => !existsSync(path))).toEqual([]);
  await TemporaryFolder.remove(folder);
  expect(existsSync(folder)).toBe(false);
});

test("the file of a piece of work is gone when it has ended or failed", async () => {
  const files: string[] = [];
  const work = async (file: string) => {
    writeFileSync(file, "an image");
    files.push(file);
    if (files.length === 2) throw new Error("damaged");
    return "done";
  };
  expect(await TemporaryFolder.withFile(work)).toBe("done");
  await expect(TemporaryFolder.withFile(work)).rejects.toThrow("damaged");
  expect(files.filter(existsSync)).toEqual([]);
  expect(new Set(files).size).toBe(2);
});
