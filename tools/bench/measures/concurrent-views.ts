import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startBalde } from "../images/balde.ts";
import { originals } from "../images/corpus.ts";
import { get, measureLoad } from "../images/load.ts";
import { startPeers, writeCopies } from "../images/peers.ts";
import { reportGoal } from "../report.ts";

const seconds = Number(process.env.CELL_SECONDS ?? 4);

/** Measures many concurrent requests for the same image. */
export async function run() {
  const dir = mkdtempSync(join(tmpdir(), "balde-bench-"));
  const [large] = await originals();
  writeCopies(dir, [large!]);
  const balde = await startBalde([large!]);
  const peers = await startPeers(dir);
  try {
    await Promise.all([balde.renderNew(large!, "jpeg"), balde.renderNew(large!, "jpeg")]);
    const newUrl = balde.fresh(large!, "webp");
    const responses = await Promise.all(Array.from({ length: 50 }, () => get(newUrl)));
    const renders = responses.filter(({ headers }) =>
      /\brender;/.test(String(headers["server-timing"])),
    );
    reportGoal(
      "One render",
      "one render for 50 concurrent requests for a new plan",
      `${renders.length}`,
      renders.length === 1,
    );

    const url = balde.fresh(large!, "webp");
    const limits = { concurrency: 8, seconds, maxResponses: 100_000 };
    const ours = await measureLoad(balde, () => get(url), limits);
    for (const peer of peers.filter(
      ({ name, formats: makes }) => name !== "nginx" && makes.includes("webp"),
    )) {
      const theirs = await measureLoad(peer, () => peer.renderNew(large!, "webp"), limits);
      const [times, tail] = [ours.perSecond / theirs.perSecond, theirs.p99 / ours.p99];
      reportGoal(
        "Stored image",
        `one URL, 8 clients, 24 MP: 20x ${peer.name}'s requests, 1/8 of its p99`,
        `${times.toFixed(1)}x (${ours.perSecond.toFixed(0)} against ${theirs.perSecond.toFixed(1)}/s), p99 1/${tail.toFixed(1)} (${ours.p99.toFixed(0)} against ${theirs.p99.toFixed(0)} ms)`,
        times >= 20 && tail >= 8,
      );
    }
  } finally {
    for (const target of [balde, ...peers]) await target.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
