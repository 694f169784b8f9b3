import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The ids of the worker processes that a process has started; this one unless another is given. */
export const workerProcesses = (parent = process.pid): number[] =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, ppid, ...args]) =>
        Number(ppid) === parent && args.join(" ").includes("worker-process.child"),
    )
    .map(([pid]) => Number(pid));

/** The id of the worker process of this process, when it has one. */
export async function workerPid(): Promise<number> {
  for (;;) {
    const [pid] = workerProcesses();
    if (pid !== undefined) return pid;
    await sleep(10);
  }
}

/** The names of the variables that a process was started with. */
export const variablesOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/environ`, "utf8")
    .split("\0")
    .map((variable) => variable.split("=")[0]!)
    .filter(Boolean);

/** The names that the worker process may have; node sets the two of the channel. */
export const harmlessVariable =
  /^(PATH|LD_LIBRARY_PATH|NODE_PATH|TZ|FONTCONFIG_\w+|MALLOC_ARENA_MAX|TMPDIR|NODE_CHANNEL_\w+)$/;
