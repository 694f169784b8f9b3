import sharp from "sharp";

import { pixels } from "../../../packages/imaging/test/pixels.ts";
import { ssimulacra2 } from "../../../packages/imaging/test/ssimulacra2.ts";
import { EDGE } from "./target.ts";
import type { Original } from "./corpus.ts";

export type Judge = { width: number; height: number; s2: ReturnType<typeof ssimulacra2> };
export type Looks = { bytes: number; s2: number };

/** What the original looks like at this size: decoded whole, scaled once, not encoded again. */
export async function ideal({ bytes }: Original): Promise<Judge> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const scaled = sharp(data, { raw: { width, height, channels: 3 } });
  const seen = await pixels(await scaled.resize(EDGE).png().toBuffer());
  return { width: seen.width, height: seen.height, s2: ssimulacra2(seen) };
}

/** undefined for somebody who rounds a side otherwise: pictures of different sizes cannot be compared. */
export async function judged(made: Buffer, { width, height, s2 }: Judge) {
  const seen = await pixels(made);
  if (seen.width !== width || seen.height !== height) return undefined;
  return { bytes: made.length, s2: s2(seen) };
}

/** How many bytes somebody would need for this look, between (or beyond) two that were measured: their logarithms lie on a line. */
export function bytesFor(s2: number, [a, b]: [Looks, Looks]): number {
  const slope = (Math.log(b.bytes) - Math.log(a.bytes)) / (b.s2 - a.s2);
  return a.bytes * Math.exp(slope * (s2 - a.s2));
}
