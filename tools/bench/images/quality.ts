import sharp from "sharp";

import { pixels } from "../../../packages/imaging/test/pixels.ts";
import { ssimulacra2 } from "../../../packages/imaging/test/ssimulacra2.ts";
import { WIDTH } from "./target.ts";
import type { Original } from "./corpus.ts";

export type QualityReference = {
  width: number;
  height: number;
  s2: ReturnType<typeof ssimulacra2>;
};
export type ImageQuality = { bytes: number; s2: number };

/** Returns the original at this size, decoded completely, scaled once and not encoded again, to compare with. */
export async function referenceOf({ bytes }: Original): Promise<QualityReference> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const scaled = sharp(data, { raw: { width, height, channels: 3 } });
  const seen = await pixels(await scaled.resize(WIDTH).png().toBuffer());
  return { width: seen.width, height: seen.height, s2: ssimulacra2(seen) };
}

/** Returns size and SSIMULACRA2, undefined if a side is rounded differently: images of different sizes cannot be compared. */
export async function measureQuality(made: Buffer, { width, height, s2 }: QualityReference) {
  const seen = await pixels(made);
  if (seen.width !== width || seen.height !== height) return undefined;
  return { bytes: made.length, s2: s2(seen) };
}

/** Returns the bytes needed for a quality, from two measured points: the logarithm of the bytes is linear in S2. */
export function bytesForQuality(s2: number, [a, b]: [ImageQuality, ImageQuality]): number {
  const slope = (Math.log(b.bytes) - Math.log(a.bytes)) / (b.s2 - a.s2);
  return a.bytes * Math.exp(slope * (s2 - a.s2));
}
