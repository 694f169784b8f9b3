import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startBalde } from "../pictures/balde.ts";
import { originals } from "../pictures/corpus.ts";
import { get, load } from "../pictures/load.ts";
import { startPeers, writeCopies } from "../pictures/peers.ts";
import { verdict } from "../report.ts";

const seconds = Number(process.env.CELL_SECONDS ?? 4);

/** Many who want the same picture at the same time. */
export async function run() {
  const dir = mkdtempSync(join(tmpdir(), "balde-bench-"));
  const [large] = await originals();
  writeCopies(dir, [large!]);
  const balde = await startBalde([large!]);
  const peers = await startPeers(dir);
  try {
    await Promise.all([balde.make(large!, "jpeg"), balde.make(large!, "jpeg")]);
    const address = balde.fresh(large!, "webp");
    const answers = await Promise.all(Array.from({ length: 50 }, () => get(address)));
    const renders = answers.filter(({ headers }) =>
      /\brender;/.test(String(headers["server-timing"])),
    );
    verdict(
      "G11",
      "50 who ask at once for what nobody has: one render",
      `${renders.length}`,
      renders.length === 1,
    );

    const same = balde.fresh(large!, "webp");
    const limits = { concurrency: 8, seconds, most: 100_000 };
    const ours = await load(balde, () => get(same), limits);
    for (const peer of peers.filter(
      ({ name, makes }) => name !== "nginx" && makes.includes("webp"),
    )) {
      const theirs = await load(peer, () => peer.make(large!, "webp"), limits);
      const [times, tail] = [ours.perSecond / theirs.perSecond, theirs.p99 / ours.p99];
      verdict(
        "G14",
        `one address, 8 clients, 24 MP: 20x ${peer.name}'s requests, 1/8 of its p99`,
        `${times.toFixed(1)}x (${ours.perSecond.toFixed(0)} against ${theirs.perSecond.toFixed(1)}/s), p99 1/${tail.toFixed(1)} (${ours.p99.toFixed(0)} against ${theirs.p99.toFixed(0)} ms)`,
        times >= 20 && tail >= 8,
      );
    }
  } finally {
    for (const contender of [balde, ...peers]) await contender.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
