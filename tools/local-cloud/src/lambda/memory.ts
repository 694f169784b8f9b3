import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

/** A process that allocates 1 GB a second passes its limit by 50 MB before it is seen. */
const linuxIntervalMs = 50;
/** `ps` is a process of its own each time. */
const psIntervalMs = 500;

export type Watched = {
  pid: number;
  limitBytes: number;
  used(bytes: number): void;
  exceeded(): void;
};

/** Looks at the resident memory of processes that work on an event. No cgroup is needed, so it works without privileges. */
export function createMemoryWatch(platform = process.platform) {
  const watched = new Set<Watched>();
  const [interval, look] =
    platform === "linux" ? [linuxIntervalMs, lookAtProc] : [psIntervalMs, lookAtPs];
  let looking = false;
  const timer = setInterval(() => {
    if (watched.size === 0 || looking) return;
    looking = true;
    void look([...watched]).finally(() => (looking = false));
  }, interval);
  timer.unref();
  return {
    add: (one: Watched) => void watched.add(one),
    delete: (one: Watched) => void watched.delete(one),
    stop: () => clearInterval(timer),
  };
}

async function lookAtProc(processes: Watched[]) {
  for (const one of processes) {
    try {
      // VmRSS is in kB whatever the page size is
      const kilobytes = /VmRSS:\s+(\d+)/.exec(
        readFileSync(`/proc/${one.pid}/status`, "latin1"),
      )?.[1];
      report(one, Number(kilobytes ?? 0) * 1024);
    } catch {
      // it has just ended
    }
  }
}

async function lookAtPs(processes: Watched[]) {
  const byPid = new Map(processes.map((one) => [one.pid, one]));
  const ps = promisify(execFile)("ps", ["-o", "pid=,rss=", "-p", [...byPid.keys()].join()]);
  // ps fails when one of them has just ended
  const { stdout } = await ps.catch(() => ({ stdout: "" }));
  for (const [, pid, kilobytes] of stdout.matchAll(/^\s*(\d+)\s+(\d+)/gm)) {
    const one = byPid.get(Number(pid));
    if (one) report(one, Number(kilobytes) * 1024);
  }
}

function report(one: Watched, bytes: number) {
  one.used(bytes);
  if (bytes > one.limitBytes) one.exceeded();
}
