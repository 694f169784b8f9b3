import { hostileCases, validImages } from "../../../packages/imaging/test/hostile/cases.ts";
import { precheck } from "../../../packages/imaging/src/identify.ts";
import { Refusal } from "../../../packages/imaging/src/refusal.ts";
import { quantile, printTable, reportGoal } from "../report.ts";

const HEAD_BYTES = 64 * 1024;
const runs = Number(process.env.RUNS ?? 20);

/** Measures the processor time to reject the hostile files of the tests that their first 64 KiB are enough to reject. */
export async function run() {
  const rejected: { name: string; cpu: number }[] = [];
  for (const [name, bytes] of hostileCases(await validImages())) {
    const cpu = await cpuOfRejection(bytes.subarray(0, HEAD_BYTES), bytes.length);
    if (cpu !== undefined) rejected.push({ name, cpu });
  }
  const costs = rejected.map(({ cpu }) => cpu);
  printTable(
    ["milliseconds of processor", "p50", "p95", "most"],
    [[`${rejected.length} files`, quantile(costs, 0.5), quantile(costs, 0.95), Math.max(...costs)]],
  );
  console.log("");
  const slow = rejected.filter(({ cpu }) => cpu > 2).toSorted((a, b) => b.cpu - a.cpu);
  for (const { name, cpu } of slow) console.log(`${cpu.toFixed(1)} ms  ${name}`);
  reportGoal(
    "Rejection cost",
    "a hostile upload is rejected by its first 64 KiB in at most 2 ms of processor time",
    `${quantile(costs, 0.95).toFixed(2)} ms for 95 %, ${Math.max(...costs).toFixed(1)} ms at most`,
    Math.max(...costs) <= 2,
  );
}

/** Returns the minimum of several runs, because the machine may be busy; undefined if the file is not rejected. */
async function cpuOfRejection(head: Buffer, size: number): Promise<number | undefined> {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = process.cpuUsage();
    const isRefused = await precheck(head, size).then(
      () => false,
      (error) => error instanceof Refusal,
    );
    if (!isRefused) return undefined;
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}
