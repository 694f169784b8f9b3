import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

/** In milliseconds. A process that allocates 1 GB a second exceeds its limit by 50 MB before it is ended. */
const PROC_INTERVAL_MS = 50;
/** In milliseconds; longer, because each reading starts a process `ps`. */
const PS_INTERVAL_MS = 500;

export type Watched = {
  pid: number;
  limitBytes: number;
  used(bytes: number): void;
  exceeded(): void;
};

/** Watches the resident memory of processes that process an event, and of those that they have started. It needs no cgroup and no privileges. */
export function createMemoryWatch(platform = process.platform) {
  const watched = new Set<Watched>();
  const [interval, readMemory] =
    platform === "linux" ? [PROC_INTERVAL_MS, readFromProc] : [PS_INTERVAL_MS, readFromPs];
  let isReading = false;
  const timer = setInterval(() => {
    if (watched.size === 0 || isReading) return;
    isReading = true;
    void readMemory([...watched]).finally(() => (isReading = false));
  }, interval);
  timer.unref();
  return {
    add: (target: Watched) => void watched.add(target),
    delete: (target: Watched) => void watched.delete(target),
    stop: () => clearInterval(timer),
  };
}

async function readFromProc(processes: Watched[]) {
  for (const target of processes) {
    const own = kilobytes(target.pid, "VmRSS");
    // what they share with the first one, the files of node and of libraries, is there once
    const others = descendants(target.pid).map((pid) => kilobytes(pid, "RssAnon"));
    const all = others.reduce((sum, each) => sum + each, own);
    // 0 if the process has just ended
    if (own > 0) report(target, all * 1024);
  }
}

/** 0 for a process that has ended. The file has kB whatever the page size is. */
const kilobytes = (pid: number, field: "VmRSS" | "RssAnon") =>
  Number(RegExp(`${field}:\\s+(\\d+)`).exec(readProc(`${pid}/status`))?.[1] ?? 0);

/** Node starts processes from its main thread. */
const descendants = (pid: number): number[] =>
  readProc(`${pid}/task/${pid}/children`)
    .split(" ")
    .filter(Boolean)
    .flatMap((child) => [Number(child), ...descendants(Number(child))]);

/** An empty text for a process that has ended. */
function readProc(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, "latin1");
  } catch {
    return "";
  }
}

async function readFromPs(processes: Watched[]) {
  const byPid = new Map(processes.map((target) => [target.pid, target]));
  const ps = promisify(execFile)("ps", ["-o", "pid=,rss=", "-p", [...byPid.keys()].join()]);
  // ps fails when one of them has just ended
  const { stdout } = await ps.catch(() => ({ stdout: "" }));
  for (const [, pid, kilobytes] of stdout.matchAll(/^\s*(\d+)\s+(\d+)/gm)) {
    const target = byPid.get(Number(pid));
    if (target) report(target, Number(kilobytes) * 1024);
  }
}

function report(target: Watched, bytes: number) {
  target.used(bytes);
  if (bytes > target.limitBytes) target.exceeded();
}
