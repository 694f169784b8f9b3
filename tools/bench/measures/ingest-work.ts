import sharp from "sharp";

import * as Ladder from "../../../packages/imaging/src/ladder.ts";
import * as Plan from "../../../packages/imaging/src/plan.ts";
import { type Prepared, prepare } from "../../../packages/imaging/src/prepare.ts";
import { render } from "../../../packages/imaging/src/render.ts";
import { type Original, originals } from "../images/corpus.ts";
import { median, printTable, reportGoal } from "../report.ts";

const runs = Number(process.env.RUNS ?? 3);
const widths = [1280, 640, 320];
const formats = ["webp", "avif"] as const;

/** Measures the work once per image and the bytes read per delivery, next to the usual way. */
export async function run() {
  const images = await originals();
  const rows: (string | number)[][] = [];
  const stored: Awaited<ReturnType<typeof readSizes>>[] = [];
  for (const photograph of images) {
    const times: Record<string, TimeSpent[]> = { ours: [], usual: [], alone: [] };
    for (let run = -1; run < runs; run++)
      for (const [name, work] of Object.entries({ ours, usual, alone })) {
        const took = await measureTime(() => work(photograph));
        if (run >= 0) times[name]!.push(took);
      }
    const of = (name: string, key: keyof TimeSpent) => median(times[name]!.map((it) => it[key]));
    for (const name of ["ours", "usual", "alone"])
      rows.push([`${names[name]}, ${photograph.label}`, of(name, "cpu"), of(name, "wall")]);
    const [cpu, wall] = [
      of("usual", "cpu") / of("ours", "cpu"),
      of("usual", "wall") / of("ours", "wall"),
    ];
    goalReports.push(() =>
      reportGoal(
        `Ingest work, ${photograph.megapixels} MP`,
        "ladder, first six derivatives, hash and colour in 1/8 of the usual loop's CPU and 1/10 of its time",
        `1/${cpu.toFixed(1)} and 1/${wall.toFixed(1)} (CPU ${of("ours", "cpu").toFixed(0)} against ${of("usual", "cpu").toFixed(0)} ms)`,
        cpu >= 8 && wall >= 10,
      ),
    );
    stored.push(await readSizes(photograph));
  }
  printTable([`median of ${runs}`, "CPU ms", "wall ms"], rows);
  console.log("");
  for (const say of goalReports.splice(0)) say();
  const part =
    sum(stored.map(({ ladder }) => ladder)) / sum(stored.map(({ original }) => original));
  const each = stored.map(({ ladder, original }) => (ladder / original).toFixed(2)).join(", ");
  reportGoal(
    "Ladder storage",
    "ladders at most 0.30 of their originals",
    `${part.toFixed(2)} of all (${each})`,
    part <= 0.3,
  );
}

const names: Record<string, string> = {
  ours: "ladder, hash, colour, 3 WebP, 3 AVIF",
  usual: "the usual loop for the same",
  alone: "ladder, hash and colour alone",
};

/** Goals are printed after the tables. */
const goalReports: (() => void)[] = [];

async function ours({ bytes }: Original) {
  const prepared = await prepare(bytes, { namedCopy: false });
  await Promise.all(
    widths.flatMap((w) =>
      formats.map((f) => {
        const { plan, rung } = choose(prepared, { w, f });
        return render(rung?.data ?? bytes, plan, rung);
      }),
    ),
  );
}

const alone = ({ bytes }: Original) => prepare(bytes, { namedCopy: false });

/** The usual way: each derivative from the original, with sharp's defaults, sequentially; colour from `stats`. */
async function usual({ bytes }: Original) {
  for (const width of widths) {
    await sharp(bytes).rotate().resize(width).webp({ quality: 80 }).toBuffer();
    await sharp(bytes).rotate().resize(width).avif({ quality: 50 }).toBuffer();
  }
  await sharp(bytes).stats();
  await sharp(bytes).rotate().resize(32).ensureAlpha().raw().toBuffer();
}

function choose(prepared: Prepared, request: { w: number; f?: "webp" | "avif" }) {
  const plan = Plan.plan(request, prepared, { avif: true, webp: true });
  return { plan, rung: Ladder.choose(plan, prepared, prepared.rungs) };
}

/** Returns the bytes of the original and of its ladder, and reports the bytes read per delivery over the widths of a page. */
async function readSizes({ bytes, megapixels }: Original) {
  const prepared = await prepare(bytes, { namedCopy: false });
  const page = [160, 240, 320, 400, 480, 640, 800, 960, 1080, 1280, 1600, 1920];
  const reads = page
    .filter((w) => w <= prepared.width)
    .map((w) => choose(prepared, { w }).rung?.data.length ?? bytes.length);
  const part = bytes.length / (sum(reads) / reads.length);
  if (megapixels > 12)
    goalReports.push(() =>
      reportGoal(
        `Bytes read, ${megapixels} MP`,
        "1/10 of the original read per delivery",
        `1/${part.toFixed(1)}`,
        part >= 10,
      ),
    );
  return { original: bytes.length, ladder: sum(prepared.rungs.map(({ data }) => data.length)) };
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

type TimeSpent = { cpu: number; wall: number };

async function measureTime(work: () => Promise<unknown>): Promise<TimeSpent> {
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1000, wall: performance.now() - start };
}
