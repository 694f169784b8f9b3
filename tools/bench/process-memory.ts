import { existsSync, readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

// The memory of the processes of a function, as Linux shows it.

/** Returns the processes of a function and their children, by the folder of its bundle. */
export function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readProcFile(pid, "cmdline").includes(`${folder}/`));
}

/** Whether the process is the one that decodes images. */
export const isWorker = (pid: number): boolean =>
  readProcFile(pid, "cmdline").includes("worker-process.child");

/** Ends the processes, so that the next event starts a new one. */
export async function restartProcesses(pids: number[]) {
  for (const pid of pids) process.kill(pid, "SIGKILL");
  // an ended process exists until its parent, the cloud, has read its status
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) await sleep(5);
}

/** The most that they have had together, in MiB. */
export const peak = (pids: number[]) => megabytes(pids, "VmHWM");
/** What they have now, in MiB. */
export const now = (pids: number[]) => megabytes(pids, "VmRSS");

const megabytes = (pids: number[], field: "VmHWM" | "VmRSS") =>
  pids
    .map(
      (pid) =>
        Number(RegExp(`${field}:\\s+(\\d+)`).exec(readProcFile(pid, "status"))?.[1] ?? 0) / 1024,
    )
    .reduce((sum, each) => sum + each, 0);

/** Returns an empty text for an ended process. */
function readProcFile(pid: number, file: string) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
