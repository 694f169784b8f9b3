import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { prepare } from "../../../packages/imaging/src/prepare.ts";
import { type Balde, startBalde } from "../images/balde.ts";
import { type Target, WIDTH, type Format, QUALITY } from "../images/target.ts";
import { type Original, originals } from "../images/corpus.ts";
import { startHandler } from "../images/handler.ts";
import { type Load, get, measureLoad } from "../images/load.ts";
import { type ImageQuality, referenceOf, measureQuality } from "../images/quality.ts";
import { fileOf, startPeers, writeCopies } from "../images/peers.ts";
import { startRawSharp } from "../images/raw-sharp.ts";
import { type Results, reportGoals } from "../images/goals.ts";
import { printTable } from "../report.ts";

const formats = (process.env.FORMATS ?? "webp,avif,jpeg").split(",") as Format[];
const clients = [1, 2, 8];
const seconds = Number(process.env.CELL_SECONDS ?? 1.5);
/** Limits the plans per cell of the table, so that Balde's images stay within their budget. */
const MAX_RESPONSES = 40;

/** Compares Balde, its peers and sharp alone on the same photographs, at a width of 800 pixels in the same format and quality. */
export async function run() {
  const dir = mkdtempSync(join(tmpdir(), "balde-bench-"));
  const running: Target[] = [];
  try {
    const photographs = await originals();
    writeCopies(dir, photographs);
    const rungs = await writeRungs(dir, photographs);
    const balde = await startBalde(photographs);
    running.push(balde);
    running.push(await startHandler(balde, dir));
    const peers = await startPeers(dir);
    running.push(...peers);
    const fromOriginal = await startRawSharp("sharp alone", (it) => fileOf(dir, it));
    running.push(fromOriginal);
    const fromRung = await startRawSharp("sharp alone, rung", (it) => rungs.get(it)!);
    running.push(fromRung);
    const results = await measureAll(photographs, running);
    print(photographs, results, running);
    await reportGoals(photographs, results, await qualityCurves(balde, photographs));
  } finally {
    for (const target of running) await target.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Writes the rungs that Balde's delivery of this size starts from, for sharp alone. */
async function writeRungs(dir: string, photographs: Original[]) {
  const files = new Map<Original, string>();
  for (const original of photographs) {
    const { rungs } = await prepare(original.bytes, { namedCopy: false });
    const rung = rungs.filter(({ width }) => width >= WIDTH).at(-1);
    const file = join(dir, `${original.megapixels}mp-rung`);
    writeFileSync(file, rung?.data ?? original.bytes);
    files.set(original, file);
  }
  return files;
}

async function measureAll(photographs: Original[], targets: Target[]): Promise<Results> {
  const results: Results = [];
  for (const original of photographs) {
    const reference = await referenceOf(original);
    for (const format of formats) {
      const renderers = targets.filter(({ formats: makes }) => makes.includes(format));
      const quality = new Map<Target, ImageQuality>();
      // also starts every target: cold starts are measured elsewhere
      for (const target of renderers) {
        const [made] = await Promise.all(
          Array.from({ length: 2 }, () => target.renderNew(original, format)),
        );
        const seen = made && (await measureQuality(made, reference));
        if (seen) quality.set(target, seen);
      }
      for (const concurrency of clients)
        for (const target of renderers) {
          const limits = { concurrency, seconds, maxResponses: MAX_RESPONSES };
          const cold = await measureLoad(target, () => target.renderNew(original, format), limits);
          results.push({
            original,
            format,
            concurrency,
            target,
            cold,
            quality: quality.get(target),
          });
        }
      for (const result of results) {
        const { target, concurrency } = result;
        if (result.original !== original || result.format !== format || !target.renderAgain)
          continue;
        const limits = { concurrency, seconds, maxResponses: 100 * MAX_RESPONSES };
        result.warm = await measureLoad(
          target,
          () => target.renderAgain!(original, format),
          limits,
        );
      }
    }
  }
  return results;
}

function print(photographs: Original[], results: Results, targets: Target[]) {
  console.log(
    `${WIDTH} pixels wide, quality ${QUALITY} (AVIF 52). Cold: a new render. Warm: Balde has the derivative in the bucket; the others store nothing. "Balde, handler" is Deliver's bundle in one process with Balde's table and bucket, without the gateway.\n`,
  );
  for (const original of photographs)
    for (const format of formats) {
      const rows = results.filter((it) => it.original === original && it.format === format);
      const balde = (concurrency: number) =>
        rows.find((it) => it.target.name === "Balde" && it.concurrency === concurrency)!.cold;
      printTable(
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
        rows.flatMap(({ target, concurrency, cold, warm, quality }) => [
          [
            target.name,
            String(concurrency),
            ...columns(cold),
            quality ? quality.bytes / 1000 : "",
            quality ? quality.s2 : "",
            `${(balde(concurrency).perSecond / cold.perSecond).toFixed(2)}x`,
          ],
          ...(warm
            ? [[`${target.name}, warm`, String(concurrency), ...columns(warm), "", "", ""]]
            : []),
        ]),
      );
      console.log("");
    }
  const memory = targets.map(({ name, usage }) => [name, usage()?.peakMb ?? "?"]);
  printTable(["peak memory of its largest process, MiB", ""], memory);
  console.log("");
}

const columns = ({ perSecond, p50, p99, cpu }: Load) => [perSecond, p50, p99, cpu ?? "?"];

/** Returns Balde's AVIF at two qualities, to compute the bytes for the quality of a peer. */
async function qualityCurves(balde: Balde, photographs: Original[]) {
  const found = new Map<Original, [ImageQuality, ImageQuality]>();
  for (const original of formats.includes("avif") ? photographs : []) {
    const reference = await referenceOf(original);
    const at = async (q: number) => {
      const url = balde.fresh(original, "avif").replace(`q=${QUALITY}`, `q=${q}`);
      const seen = await measureQuality((await get(url)).body, reference);
      if (!seen) throw new Error(`${url} does not have the requested size`);
      return seen;
    };
    found.set(original, [await at(72), await at(86)]);
  }
  return found;
}
