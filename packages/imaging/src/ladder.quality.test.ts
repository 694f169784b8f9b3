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

// What is delivered from a rung, held against the same delivery from the original. The judge of both is what neither is: the
// whole original, decoded at its full size and scaled once, never encoded again.

const originals: [width: number, height: number][] = [
  // rungs of 213 and 427 pixels' height: odd sides are what a decoder's own shrinking gets wrong
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

/** Some 25 seconds of one processor. */
const PATIENCE_MS = 300_000;

type Pair = { s2: number; ssim: number; isFromRung: boolean };
const pairs: Record<(typeof formats)[number], Pair[]> = { webp: [], avif: [] };

beforeAll(async () => {
  for (const [width, height] of originals) {
    const bytes = await photograph(width, height);
    const prepared = await prepare(bytes, { namedCopy: false });
    const whole = await pixels(bytes);
    for (const request of requests) {
      // where a picture goes does not depend on its format
      const judge = judgeBy(await exact(whole, planned(request, prepared)));
      for (const f of formats)
        pairs[f].push(await compare(judge, bytes, prepared, { ...request, f }));
    }
  }
}, PATIENCE_MS);

describe.each(formats)("%s", (format) => {
  const of = (key: "s2" | "ssim") =>
    pairs[format].map((pair) => pair[key]).toSorted((a, b) => a - b);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  test("the set is made of deliveries that a rung is used for", () => {
    expect(pairs[format].filter(({ isFromRung }) => isFromRung).length).toBeGreaterThanOrEqual(40);
  });

  test("a rung looks on average at least as good as the original", () => {
    expect(mean(of("s2"))).toBeGreaterThanOrEqual(0);
    expect(mean(of("ssim"))).toBeGreaterThanOrEqual(-0.001);
  });

  test("one in twenty may look worse, by two points at most", () => {
    const differences = of("s2");
    expect(differences[Math.floor(differences.length * 0.05)]).toBeGreaterThanOrEqual(-2);
  });
});

const planned = (request: Request, prepared: Prepared) =>
  Plan.plan(request, prepared, { avif: true, webp: true });

/** Refuses pictures of different sizes, so a rung that changes the result by a pixel is found, too. */
async function compare(
  judge: Judge,
  bytes: Buffer,
  prepared: Prepared,
  request: Request,
): Promise<Pair> {
  const plan = planned(request, prepared);
  const rung = Ladder.choose(plan, prepared, prepared.rungs);
  const direct = await pixels((await render(bytes, plan)).data);
  const ladder = rung ? await pixels((await render(rung.data, plan, rung)).data) : direct;
  return {
    s2: judge.s2(ladder) - judge.s2(direct),
    ssim: judge.ssim(ladder) - judge.ssim(direct),
    isFromRung: rung !== undefined,
  };
}

/** The plan without any short cut: full decode, one scaling, no encoder. */
async function exact({ data, width, height }: Pixels, plan: Plan.Plan): Promise<Pixels> {
  const { crop = { x: 0, y: 0, w: width, h: height }, cut, turn } = plan;
  const scale = Plan.swapSidesIfTurned(plan.scale, turn);
  const scaled = await sharp(data, { raw: { width, height, channels: 3 } })
    .extract({ left: crop.x, top: crop.y, width: crop.w, height: crop.h })
    .resize({ ...scale, fit: "fill" })
    .raw()
    .toBuffer();
  const turned = sharp(scaled, { raw: { ...scale, channels: 3 } }).rotate(turn);
  if (typeof cut !== "object") return pixels(await turned.png().toBuffer());
  return pixels(
    await turned
      .extract({ ...cut, width: plan.width, height: plan.height })
      .png()
      .toBuffer(),
  );
}

type Judge = ReturnType<typeof judgeBy>;
const judgeBy = (ideal: Pixels) => ({
  s2: ssimulacra2(ideal),
  ssim: (made: Pixels) => similarity(ideal, made),
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
