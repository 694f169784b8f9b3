import { honest, hostile } from "../../../packages/imaging/test/hostile/cases.ts";
import { glance } from "../../../packages/imaging/src/identify.ts";
import { Refusal } from "../../../packages/imaging/src/refusal.ts";
import { quantile, table, verdict } from "../report.ts";

const HEAD_BYTES = 64 * 1024;
const runs = Number(process.env.RUNS ?? 20);

/** What it costs to refuse what is refused for its first 64 KB: of all the hostile files of the tests. */
export async function run() {
  const refused: { name: string; cpu: number }[] = [];
  for (const [name, bytes] of hostile(await honest())) {
    const cpu = await cpuOf(bytes.subarray(0, HEAD_BYTES), bytes.length);
    if (cpu !== undefined) refused.push({ name, cpu });
  }
  const costs = refused.map(({ cpu }) => cpu);
  table(
    ["milliseconds of processor", "p50", "p95", "most"],
    [[`${refused.length} files`, quantile(costs, 0.5), quantile(costs, 0.95), Math.max(...costs)]],
  );
  console.log("");
  const dear = refused.filter(({ cpu }) => cpu > 2).toSorted((a, b) => b.cpu - a.cpu);
  for (const { name, cpu } of dear) console.log(`${cpu.toFixed(1)} ms  ${name}`);
  verdict(
    "G12",
    "a hostile upload is refused for its first 64 KB in at most 2 ms of processor time",
    `${quantile(costs, 0.95).toFixed(2)} ms for 95 %, ${Math.max(...costs).toFixed(1)} ms at most`,
    Math.max(...costs) <= 2,
  );
}

/** The best of several, since others work on the machine as well; undefined when it is not refused. */
async function cpuOf(head: Buffer, size: number): Promise<number | undefined> {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = process.cpuUsage();
    const isRefused = await glance(head, size).then(
      () => false,
      (error) => error instanceof Refusal,
    );
    if (!isRefused) return undefined;
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}
