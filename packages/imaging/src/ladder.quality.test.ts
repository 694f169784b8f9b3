import sharp from "sharp";
import { ssim } from "ssim.js";
import { beforeAll, describe, expect, test } from "vitest";

import { photograph } from "../test/photographs.ts";
import { pixels } from "../test/pixels.ts";
import { type Pixels, ssimulacra2 } from "../test/ssimulacra2.ts";
import * as Ladder from "./ladder.ts";
import * as Plan from "./plan.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { render } from "./render.ts";
import type { Request } from "./request.ts";

// Compares the picture made from a rung with the picture made from the original. The reference of both is the original, decoded
// at its full size, scaled once and not encoded.

const originals: [width: number, height: number][] = [
  // rungs of 213 and 427 pixels' height: a JPEG decoder that shrinks while decoding rounds odd sides differently
  [3840, 1600],
  [2403, 3201],
  [1600, 1066],
];
const requests: Request[] = [
  { w: 96 },
  { w: 120 },
  { w: 160 },
  { w: 241 },
  { w: 280 },
  { w: 320 },
  { w: 384 },
  { w: 400 },
  { w: 480 },
  { w: 512 },
  { w: 300, h: 300, fit: "cover" },
  { w: 333, h: 200, fit: "cover", pos: { x: 0.2, y: 0.7 } },
  { w: 180, crop: { x: 301, y: 203, w: 701, h: 499 } },
  { h: 128, rot: 90 },
];
const formats = ["webp", "avif"] as const;

/** The comparison takes about 25 seconds of one processor. */
const TIMEOUT_MS = 300_000;

type Pair = { s2: number; ssim: number; isFromRung: boolean };
const pairs: Record<(typeof formats)[number], Pair[]> = { webp: [], avif: [] };

beforeAll(async () => {
  for (const [width, height] of originals) {
    const bytes = await photograph(width, height);
    const prepared = await prepare(bytes, { namedCopy: false });
    const whole = await pixels(bytes);
    for (const request of requests) {
      // the reference does not depend on the output format
      const scorer = scorerFor(await renderReference(whole, planned(request, prepared)));
      for (const f of formats)
        pairs[f].push(await compare(scorer, bytes, prepared, { ...request, f }));
    }
  }
}, TIMEOUT_MS);

describe.each(formats)("%s", (format) => {
  const of = (key: "s2" | "ssim") =>
    pairs[format].map((pair) => pair[key]).toSorted((a, b) => a - b);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  test("at least 40 of the requests are made from a rung", () => {
    expect(pairs[format].filter(({ isFromRung }) => isFromRung).length).toBeGreaterThanOrEqual(40);
  });

  test("a picture from a rung is on average at least as similar as one from the original", () => {
    expect(mean(of("s2"))).toBeGreaterThanOrEqual(0);
    expect(mean(of("ssim"))).toBeGreaterThanOrEqual(-0.001);
  });

  test("at most one picture in twenty from a rung is more than two points worse", () => {
    const differences = of("s2");
    expect(differences[Math.floor(differences.length * 0.05)]).toBeGreaterThanOrEqual(-2);
  });
});

const planned = (request: Request, prepared: Prepared) =>
  Plan.plan(request, prepared, { avif: true, webp: true });

/** The scores throw on different sizes, so a rung that changes the size by a pixel fails, too. */
async function compare(
  scorer: Scorer,
  bytes: Buffer,
  prepared: Prepared,
  request: Request,
): Promise<Pair> {
  const plan = planned(request, prepared);
  const rung = Ladder.choose(plan, prepared, prepared.rungs);
  const direct = await pixels((await render(bytes, plan)).data);
  const ladder = rung ? await pixels((await render(rung.data, plan, rung)).data) : direct;
  return {
    s2: scorer.s2(ladder) - scorer.s2(direct),
    ssim: scorer.ssim(ladder) - scorer.ssim(direct),
    isFromRung: rung !== undefined,
  };
}

/** The reference picture of a plan: full decode, one scaling, no encoder. */
async function renderReference({ data, width, height }: Pixels, plan: Plan.Plan): Promise<Pixels> {
  const { crop = { x: 0, y: 0, w: width, h: height }, cut, turn } = plan;
  const scale = Plan.swapSidesIfTurned(plan.scale, turn);
  const scaled = await sharp(data, { raw: { width, height, channels: 3 } })
    .extract({ left: crop.x, top: crop.y, width: crop.w, height: crop.h })
    .resize({ ...scale, fit: "fill" })
    .raw()
    .toBuffer();
  const rotated = sharp(scaled, { raw: { ...scale, channels: 3 } }).rotate(turn);
  if (typeof cut !== "object") return pixels(await rotated.png().toBuffer());
  return pixels(
    await rotated
      .extract({ ...cut, width: plan.width, height: plan.height })
      .png()
      .toBuffer(),
  );
}

type Scorer = ReturnType<typeof scorerFor>;
const scorerFor = (reference: Pixels) => ({
  s2: ssimulacra2(reference),
  ssim: (made: Pixels) => similarity(reference, made),
});

function similarity(a: Pixels, b: Pixels): number {
  const rgba = ({ data, width, height }: Pixels) => {
    const out = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let at = 0; at < width * height; at++)
      for (let part = 0; part < 3; part++) out[at * 4 + part] = data[at * 3 + part]!;
    return { data: out, width, height };
  };
  return ssim(rgba(a), rgba(b), { downsample: false }).mssim;
}
