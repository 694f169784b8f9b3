import { verdict } from "../report.ts";
import type { Contender, Format } from "./target.ts";
import type { Original } from "./corpus.ts";
import { type Looks, bytesFor } from "./quality.ts";
import type { Load } from "./load.ts";

type Result = {
  original: Original;
  format: Format;
  concurrency: number;
  contender: Contender;
  cold: Load;
  warm?: Load;
  looks: Looks | undefined;
};
export type Results = Result[];

/** G1 to G4: what was promised against each peer that ran. `curves` are Balde's AVIF at two qualities. */
export async function goals(
  originals: Original[],
  results: Results,
  curves: Map<Original, [Looks, Looks]>,
) {
  for (const original of originals) {
    const of = (name: string, format: Format) =>
      results.find(
        (it) =>
          it.original === original &&
          it.format === format &&
          it.contender.name === name &&
          it.concurrency === 1,
      );
    const size = `${original.megapixels} MP`;
    for (const peer of ["ipx", "Next.js", "nginx"]) {
      webp(size, promised[original.megapixels], peer, of("Balde", "webp"), of(peer, "webp"));
      avif(size, peer, curves.get(original), of("Balde", "avif"), of(peer, "avif"));
      smaller(size, peer, curves.get(original), of("Balde", "avif"), of(peer, "webp"));
      if (original.megapixels === 24) jpeg(size, peer, of("Balde", "jpeg"), of(peer, "jpeg"));
    }
    limit(size, of("Balde, handler", "webp"), of("sharp alone, rung", "webp"));
  }
}

type Maybe = Result | undefined;

/** How many times as fast; of 12 megapixels nothing was. */
const promised: Partial<Record<Original["megapixels"], number>> = { 24: 6, 16: 3, 2: 1.8 };

function webp(size: string, promise: number | undefined, peer: string, ours: Maybe, theirs: Maybe) {
  if (!promise || !ours?.looks || !theirs?.looks) return;
  const times = ours.cold.perSecond / theirs.cold.perSecond;
  const s2 = ours.looks.s2 - theirs.looks.s2;
  const bytes = ours.looks.bytes / theirs.looks.bytes;
  verdict(
    `G1 ${size}`,
    `WebP at ${promise}x ${peer}, S2 at least ${peer}'s - 1.5, at most 1.10 of its bytes`,
    `${times.toFixed(2)}x (${rates(ours, theirs)}), S2 ${signed(s2)}, ${bytes.toFixed(2)} of the bytes`,
    times >= promise && s2 >= -1.5 && bytes <= 1.1,
  );
}

function limit(size: string, ours: Maybe, raw: Maybe) {
  if (!ours || !raw) return;
  const part = ours.cold.perSecond / raw.cold.perSecond;
  verdict(
    `G1 ${size}`,
    "the handler's WebP at 0.85x sharp alone from the same rung",
    `${part.toFixed(2)}x (${rates(ours, raw)})`,
    part >= 0.85,
  );
}

function avif(
  size: string,
  peer: string,
  curve: [Looks, Looks] | undefined,
  ours: Maybe,
  theirs: Maybe,
) {
  if (!ours || !theirs?.looks || !curve) return;
  const promise = peer === "ipx" ? 20 : 7;
  const times = theirs.cold.p50 / ours.cold.p50;
  const bytes = bytesFor(theirs.looks.s2, curve) / theirs.looks.bytes;
  verdict(
    `G2 ${size}`,
    `AVIF in 1/${promise} of ${peer}'s time${peer === "ipx" ? "" : ", at most 1.25 of its bytes for the same S2"}`,
    `1/${times.toFixed(1)} (p50 ${ours.cold.p50.toFixed(0)} against ${theirs.cold.p50.toFixed(0)} ms), ${bytes.toFixed(2)} of the bytes`,
    times >= promise && (peer === "ipx" || bytes <= 1.25),
  );
}

function smaller(
  size: string,
  peer: string,
  curve: [Looks, Looks] | undefined,
  ours: Maybe,
  theirs: Maybe,
) {
  if (!ours || !theirs?.looks || !curve) return;
  const times = ours.cold.perSecond / theirs.cold.perSecond;
  const bytes = bytesFor(theirs.looks.s2, curve) / theirs.looks.bytes;
  verdict(
    `G3 ${size}`,
    `AVIF faster than ${peer}'s WebP, and at most 0.90 of its bytes for the same S2`,
    `${times.toFixed(2)}x (${rates(ours, theirs)}), ${bytes.toFixed(2)} of the bytes`,
    times > 1 && bytes <= 0.9,
  );
}

function jpeg(size: string, peer: string, ours: Maybe, theirs: Maybe) {
  if (!ours || !theirs) return;
  const promise = peer === "nginx" ? 30 : 10;
  const times = ours.cold.perSecond / theirs.cold.perSecond;
  verdict(
    `G4 ${size}`,
    `JPEG at ${promise}x ${peer}`,
    `${times.toFixed(1)}x (${rates(ours, theirs)})`,
    times >= promise,
  );
}

const rates = (ours: Result, theirs: Result) =>
  `${ours.cold.perSecond.toFixed(1)} against ${theirs.cold.perSecond.toFixed(1)}/s`;

const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(1)}`;
