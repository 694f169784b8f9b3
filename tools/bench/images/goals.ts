import { reportGoal } from "../report.ts";
import type { Target, Format } from "./target.ts";
import type { Original } from "./corpus.ts";
import { type ImageQuality, bytesForQuality } from "./quality.ts";
import type { Load } from "./load.ts";

type Result = {
  original: Original;
  format: Format;
  concurrency: number;
  target: Target;
  cold: Load;
  warm?: Load;
  quality: ImageQuality | undefined;
};
export type Results = Result[];

/** Reports the goals of speed against each peer that ran. `curves` has Balde's AVIF at two qualities per original. */
export async function reportGoals(
  originals: Original[],
  results: Results,
  curves: Map<Original, [ImageQuality, ImageQuality]>,
) {
  for (const original of originals) {
    const of = (name: string, format: Format) =>
      results.find(
        (it) =>
          it.original === original &&
          it.format === format &&
          it.target.name === name &&
          it.concurrency === 1,
      );
    const size = `${original.megapixels} MP`;
    for (const peer of ["ipx", "Next.js", "nginx"]) {
      reportWebp(
        size,
        promisedWebpSpeed[original.megapixels],
        peer,
        of("Balde", "webp"),
        of(peer, "webp"),
      );
      reportAvif(size, peer, curves.get(original), of("Balde", "avif"), of(peer, "avif"));
      reportAvifAgainstWebp(
        size,
        peer,
        curves.get(original),
        of("Balde", "avif"),
        of(peer, "webp"),
      );
      if (original.megapixels === 24) reportJpeg(size, peer, of("Balde", "jpeg"), of(peer, "jpeg"));
    }
    reportOverhead(size, of("Balde, handler", "webp"), of("sharp alone, rung", "webp"));
  }
}

type OptionalResult = Result | undefined;

/** How many times as fast as each peer, by megapixels; there is no goal for 12. */
const promisedWebpSpeed: Partial<Record<Original["megapixels"], number>> = { 24: 6, 16: 3, 2: 1.8 };

function reportWebp(
  size: string,
  promise: number | undefined,
  peer: string,
  ours: OptionalResult,
  theirs: OptionalResult,
) {
  if (!promise || !ours?.quality || !theirs?.quality) return;
  const times = ours.cold.perSecond / theirs.cold.perSecond;
  const s2 = ours.quality.s2 - theirs.quality.s2;
  const bytes = ours.quality.bytes / theirs.quality.bytes;
  reportGoal(
    `WebP speed, ${size}`,
    `WebP at ${promise}x ${peer}, S2 at least ${peer}'s - 1.5, at most 1.10 of its bytes`,
    `${times.toFixed(2)}x (${formatRates(ours, theirs)}), S2 ${formatSigned(s2)}, ${bytes.toFixed(2)} of the bytes`,
    times >= promise && s2 >= -1.5 && bytes <= 1.1,
  );
}

function reportOverhead(size: string, ours: OptionalResult, raw: OptionalResult) {
  if (!ours || !raw) return;
  const part = ours.cold.perSecond / raw.cold.perSecond;
  reportGoal(
    `WebP overhead, ${size}`,
    "the handler's WebP at 0.85x sharp alone from the same rung",
    `${part.toFixed(2)}x (${formatRates(ours, raw)})`,
    part >= 0.85,
  );
}

function reportAvif(
  size: string,
  peer: string,
  curve: [ImageQuality, ImageQuality] | undefined,
  ours: OptionalResult,
  theirs: OptionalResult,
) {
  if (!ours || !theirs?.quality || !curve) return;
  const promise = peer === "ipx" ? 20 : 7;
  const times = theirs.cold.p50 / ours.cold.p50;
  const bytes = bytesForQuality(theirs.quality.s2, curve) / theirs.quality.bytes;
  reportGoal(
    `AVIF speed, ${size}`,
    `AVIF in 1/${promise} of ${peer}'s time${peer === "ipx" ? "" : ", at most 1.25 of its bytes for the same S2"}`,
    `1/${times.toFixed(1)} (p50 ${ours.cold.p50.toFixed(0)} against ${theirs.cold.p50.toFixed(0)} ms), ${bytes.toFixed(2)} of the bytes`,
    times >= promise && (peer === "ipx" || bytes <= 1.25),
  );
}

function reportAvifAgainstWebp(
  size: string,
  peer: string,
  curve: [ImageQuality, ImageQuality] | undefined,
  ours: OptionalResult,
  theirs: OptionalResult,
) {
  if (!ours || !theirs?.quality || !curve) return;
  const times = ours.cold.perSecond / theirs.cold.perSecond;
  const bytes = bytesForQuality(theirs.quality.s2, curve) / theirs.quality.bytes;
  reportGoal(
    `AVIF instead of WebP, ${size}`,
    `AVIF faster than ${peer}'s WebP, and at most 0.90 of its bytes for the same S2`,
    `${times.toFixed(2)}x (${formatRates(ours, theirs)}), ${bytes.toFixed(2)} of the bytes`,
    times > 1 && bytes <= 0.9,
  );
}

function reportJpeg(size: string, peer: string, ours: OptionalResult, theirs: OptionalResult) {
  if (!ours || !theirs) return;
  const promise = peer === "nginx" ? 30 : 10;
  const times = ours.cold.perSecond / theirs.cold.perSecond;
  reportGoal(
    `JPEG speed, ${size}`,
    `JPEG at ${promise}x ${peer}`,
    `${times.toFixed(1)}x (${formatRates(ours, theirs)})`,
    times >= promise,
  );
}

const formatRates = (ours: Result, theirs: Result) =>
  `${ours.cold.perSecond.toFixed(1)} against ${theirs.cold.perSecond.toFixed(1)}/s`;

const formatSigned = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(1)}`;
