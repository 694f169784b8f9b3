import { readFileSync, readdirSync } from "node:fs";

/** Processor time and peak memory of a process and its descendants. */
type Usage = { cpuMs: number; peakMb: number };

/** Returns the usage, undefined without /proc. `isMeant` selects by command line the processes whose memory counts. */
export function usageOf(
  root: number,
  isMeant: (command: string) => boolean = () => true,
): Usage | undefined {
  const family = descendants(root);
  if (!family) return undefined;
  let [cpuMs, largestMb] = [0, 0];
  for (const pid of family) {
    cpuMs += ticks(pid) * 10;
    if (isMeant(read(pid, "cmdline"))) largestMb = Math.max(largestMb, highWaterMark(pid));
  }
  return { cpuMs, peakMb: largestMb };
}

function descendants(root: number) {
  const parents = new Map<number, number>();
  try {
    for (const name of readdirSync("/proc"))
      if (/^\d+$/.test(name)) parents.set(Number(name), Number(fields(Number(name))[1]));
  } catch {
    return undefined;
  }
  const family = [root];
  for (const parent of family)
    for (const [pid, its] of parents) if (its === parent) family.push(pid);
  return family;
}

// the fields after the command, which may contain spaces: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
const fields = (pid: number) => read(pid, "stat").split(") ").at(-1)!.split(" ");

/** Hundredths of a second, including ended children. */
const ticks = (pid: number) =>
  fields(pid)
    .slice(11, 15)
    .reduce((sum, field) => sum + (Number(field) || 0), 0);

const highWaterMark = (pid: number) =>
  Number(/VmHWM:\s+(\d+)/.exec(read(pid, "status"))?.[1] ?? 0) / 1024;

function read(pid: number, file: string) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // the process has ended
    return "";
  }
}
