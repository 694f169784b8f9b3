import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { prepare } from "../../../packages/imaging/src/prepare.ts";
import { type Balde, startBalde } from "../pictures/balde.ts";
import { type Contender, EDGE, type Format, QUALITY } from "../pictures/target.ts";
import { type Original, originals } from "../pictures/corpus.ts";
import { startHandler } from "../pictures/handler.ts";
import { type Load, get, load } from "../pictures/load.ts";
import { type Looks, ideal, judged } from "../pictures/quality.ts";
import { fileOf, startPeers, writeCopies } from "../pictures/peers.ts";
import { startRawSharp } from "../pictures/raw-sharp.ts";
import { type Results, goals } from "../pictures/goals.ts";
import { table } from "../report.ts";

const formats = (process.env.FORMATS ?? "webp,avif,jpeg").split(",") as Format[];
const clients = [1, 2, 8];
const seconds = Number(process.env.CELL_SECONDS ?? 1.5);
/** A cell of the table ends there, so that the images of Balde's side last. */
const MOST = 40;

/** Balde, its peers and the bare engine on the same photographs, everybody to 800 pixels in the same format and quality. */
export async function run() {
  const dir = mkdtempSync(join(tmpdir(), "balde-bench-"));
  const running: Contender[] = [];
  try {
    const pictures = await originals();
    writeCopies(dir, pictures);
    const rungs = await writeRungs(dir, pictures);
    const balde = await startBalde(pictures);
    running.push(balde);
    running.push(await startHandler(balde, dir));
    const peers = await startPeers(dir);
    running.push(...peers);
    const fromOriginal = await startRawSharp("sharp alone", (it) => fileOf(dir, it));
    running.push(fromOriginal);
    const fromRung = await startRawSharp("sharp alone, rung", (it) => rungs.get(it)!);
    running.push(fromRung);
    const results = await measured(pictures, running);
    print(pictures, results, running);
    await goals(pictures, results, await curves(balde, pictures));
  } finally {
    for (const contender of running) await contender.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What Balde's delivery of this size starts from, for the engine alone. */
async function writeRungs(dir: string, pictures: Original[]) {
  const files = new Map<Original, string>();
  for (const original of pictures) {
    const { rungs } = await prepare(original.bytes, { publish: false });
    const rung = rungs.filter(({ width }) => width >= EDGE).at(-1);
    const file = join(dir, `${original.megapixels}mp-rung`);
    writeFileSync(file, rung?.data ?? original.bytes);
    files.set(original, file);
  }
  return files;
}

async function measured(pictures: Original[], contenders: Contender[]): Promise<Results> {
  const results: Results = [];
  for (const original of pictures) {
    const judge = await ideal(original);
    for (const format of formats) {
      const makers = contenders.filter(({ makes }) => makes.includes(format));
      const looks = new Map<Contender, Looks>();
      // also wakes everybody up: how long a cold start takes is another question
      for (const contender of makers) {
        const [made] = await Promise.all(
          Array.from({ length: 2 }, () => contender.make(original, format)),
        );
        const seen = made && (await judged(made, judge));
        if (seen) looks.set(contender, seen);
      }
      for (const concurrency of clients)
        for (const contender of makers) {
          const limits = { concurrency, seconds, most: MOST };
          const cold = await load(contender, () => contender.make(original, format), limits);
          results.push({
            original,
            format,
            concurrency,
            contender,
            cold,
            looks: looks.get(contender),
          });
        }
      for (const result of results) {
        const { contender, concurrency } = result;
        if (result.original !== original || result.format !== format || !contender.again) continue;
        const limits = { concurrency, seconds, most: 100 * MOST };
        result.warm = await load(contender, () => contender.again!(original, format), limits);
      }
    }
  }
  return results;
}

function print(pictures: Original[], results: Results, contenders: Contender[]) {
  console.log(
    `${EDGE} pixels wide, quality ${QUALITY} (AVIF 52). Cold: nobody has made it before. Warm: Balde has it in the bucket; the others keep nothing. "Balde, handler" is Deliver's bundle in one process, with Balde's table and bucket and without the gateway.\n`,
  );
  for (const original of pictures)
    for (const format of formats) {
      const rows = results.filter((it) => it.original === original && it.format === format);
      const balde = (concurrency: number) =>
        rows.find((it) => it.contender.name === "Balde" && it.concurrency === concurrency)!.cold;
      table(
        [
          `${format}, ${original.label}`,
          "clients",
          "req/s",
          "p50 ms",
          "p99 ms",
          "CPU ms",
          "KB",
          "S2",
          "Balde is",
        ],
        rows.flatMap(({ contender, concurrency, cold, warm, looks }) => [
          [
            contender.name,
            String(concurrency),
            ...columns(cold),
            looks ? looks.bytes / 1000 : "",
            looks ? looks.s2 : "",
            `${(balde(concurrency).perSecond / cold.perSecond).toFixed(2)}x`,
          ],
          ...(warm
            ? [[`${contender.name}, warm`, String(concurrency), ...columns(warm), "", "", ""]]
            : []),
        ]),
      );
      console.log("");
    }
  const memory = contenders.map(({ name, usage }) => [name, usage()?.largestMb ?? "?"]);
  table(["peak memory of its largest process, MB", ""], memory);
  console.log("");
}

const columns = ({ perSecond, p50, p99, cpu }: Load) => [perSecond, p50, p99, cpu ?? "?"];

/** Balde's AVIF at two qualities, to tell how many bytes it needs for somebody else's look. */
async function curves(balde: Balde, pictures: Original[]) {
  const found = new Map<Original, [Looks, Looks]>();
  for (const original of formats.includes("avif") ? pictures : []) {
    const judge = await ideal(original);
    const at = async (q: number) => {
      const url = balde.fresh(original, "avif").replace(`q=${QUALITY}`, `q=${q}`);
      const seen = await judged((await get(url)).body, judge);
      if (!seen) throw new Error(`${url} has not the size that was asked for`);
      return seen;
    };
    found.set(original, [await at(72), await at(86)]);
  }
  return found;
}
