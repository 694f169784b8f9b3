import { readFileSync } from "node:fs";

/**
 * Calls back when a script runner that started this process, as `npx pnpm` does in several steps, has ended. A runner does
 * not hand on the SIGTERM that ended it, and whoever sent that meant this process.
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

/** The shells and package managers above this process; whoever started those is not among them. Without `/proc`, the parent alone. */
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
    // not Linux, or one has ended at this moment
  }
  return pids.length > 0 ? pids.join() : String(process.ppid);
}

function statOf(pid: number): { name: string; parent: number } {
  // "pid (name) state parent …"; a name may hold brackets
  const [, name = "", rest = ""] =
    /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  return { name, parent: Number(rest.split(" ")[1]) };
}
