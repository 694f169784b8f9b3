import { readFileSync } from "node:fs";

/**
 * Calls `callback` when a script runner that started this process has exited: `npx pnpm` starts it in several steps. A runner
 * that is ended by SIGTERM does not forward the signal, which was meant for this process.
 */
export function onParentExit(callback: () => void): void {
  if (!process.env["npm_lifecycle_event"]) return;
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(timer);
    callback();
  }, 500);
  timer.unref();
}

/** Returns the process ids of the shells and package managers above this process; without `/proc` that of the parent. */
function ancestors(): string {
  const pids: number[] = [];
  try {
    for (let pid = process.ppid; ;) {
      const { name, parent } = statOf(pid);
      if (!/^(sh|npm|npx|pnpm)\b/.test(name)) break;
      pids.push(pid);
      pid = parent;
    }
  } catch {
    // not Linux, or a process has exited at this moment
  }
  return pids.length > 0 ? pids.join() : String(process.ppid);
}

function statOf(pid: number): { name: string; parent: number } {
  // "pid (name) state parent …"; a name may hold brackets
  const [, name = "", rest = ""] =
    /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  return { name, parent: Number(rest.split(" ")[1]) };
}
