import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";

import sharp from "sharp";
import { expect, test } from "vitest";

import { chart, colours, deltaE, inSrgb, swatches } from "../test/colour.ts";
import * as AvifColour from "./avif-colour.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render } from "./render.ts";

// Colours that a file names by numbers of ITU-T H.273 instead of a profile.

type Triple = [number, number, number];
type Cicp = { primaries: number; transfer: number };
const P3: Cicp = { primaries: 12, transfer: 13 };
const PQ = 16;
const HLG = 18;

/** Pixels of these colours in squares, as the chart has them. */
async function squares(of: readonly Triple[], edge = 50) {
  const data = Buffer.alloc((4 * edge) ** 2 * 3);
  for (let at = 0; at < data.length / 3; at++) {
    const [x, y] = [at % (4 * edge), Math.floor(at / (4 * edge))];
    data.set(of[Math.floor(y / edge) * 4 + Math.floor(x / edge)]!, at * 3);
  }
  return sharp(data, { raw: { width: 4 * edge, height: 4 * edge, channels: 3 } });
}

/** An AVIF with these numbers; its pixels stay. sharp writes none. */
function withNumbers(avif: Buffer, { primaries, transfer }: Cicp, isLimited = false): Buffer {
  const numbers = Buffer.from([0, primaries, 0, transfer, 0, 6, isLimited ? 0 : 0x80]);
  const changed = AvifColour.withColour(avif, Buffer.concat([Buffer.from("nclx"), numbers]));
  expect(changed.length).toBe(avif.length + 20);
  return changed;
}

const avif = async (of: readonly Triple[], cicp: Cicp, bitdepth: 8 | 10 | 12 = 8) =>
  withNumbers(
    await (
      await squares(of)
    )
      .avif({ quality: 100, chromaSubsampling: "4:4:4", effort: 0, bitdepth })
      .toBuffer(),
    cicp,
  );

/** A PNG with a `cICP` chunk behind its header. */
function png(plain: Buffer, { primaries, transfer }: Cicp, range = 1): Buffer {
  const typed = Buffer.from([...Buffer.from("cICP"), primaries, transfer, 0, range]);
  const chunk = Buffer.alloc(16);
  chunk.writeUInt32BE(4);
  typed.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(typed), 12);
  return Buffer.concat([plain.subarray(0, 33), chunk, plain.subarray(33)]);
}

/** The squares' colours from the original, from a rung and in the named copy. */
async function allWays(bytes: Buffer): Promise<Triple[][]> {
  const { rungs, namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  const plan = Plan.plan({ w: 160, f: "png" }, source, { avif: false, webp: false });
  const pictures = [(await render(bytes, plan)).data, namedCopy!.data];
  for (const rung of rungs) pictures.push((await render(rung.data, plan, rung)).data);
  return Promise.all(pictures.map(colours));
}

const inP3 = swatches.map((swatch) => inSrgb("p3", swatch));

test.each<[string, () => Promise<Buffer>]>([
  ["an AVIF of 8 bits", () => avif(swatches, P3)],
  ["an AVIF of 10 bits", () => avif(swatches, P3, 10)],
  ["an AVIF of 12 bits", () => avif(swatches, P3, 12)],
  [
    "an AVIF with alpha",
    async () =>
      withNumbers(
        await (
          await squares(swatches)
        )
          .ensureAlpha(1)
          .avif({ quality: 100, chromaSubsampling: "4:4:4", effort: 0 })
          .toBuffer(),
        P3,
      ),
  ],
  ["a PNG", async () => png(await (await squares(swatches)).png().toBuffer(), P3)],
  [
    "a PNG of 16 bits",
    async () => png(await (await squares(swatches)).toColourspace("rgb16").png().toBuffer(), P3),
  ],
  [
    "a PNG with a palette",
    async () => png(await (await squares(swatches)).png({ palette: true }).toBuffer(), P3),
  ],
  ["a PNG with another profile", async () => png(await chart("adobe", "png", 50), P3)],
])("%s in P3 by numbers is converted to sRGB", async (_, make) => {
  for (const actual of await allWays(await make()))
    for (const [index, colour] of actual.entries())
      expect(deltaE(colour, inP3[index]!)).toBeLessThan(4);
});

test("a large picture has the same colours from its rungs", async () => {
  const plain = await (await squares(swatches, 200)).png({ compressionLevel: 0 }).toBuffer();
  const ways = await allWays(png(plain, P3));
  expect(ways.length).toBeGreaterThan(2);
  for (const actual of ways)
    for (const [index, colour] of actual.entries())
      expect(deltaE(colour, inP3[index]!)).toBeLessThan(4);
});

test.each([
  ["sRGB", { primaries: 1, transfer: 13 }],
  ["video of that gamut", { primaries: 1, transfer: 1 }],
  ["nothing", { primaries: 2, transfer: 2 }],
])("numbers that say %s change nothing", async (_, cicp) => {
  const plain = await (await squares(swatches)).png().toBuffer();
  for (const bytes of [await avif(swatches, cicp), png(plain, cicp)])
    for (const actual of await allWays(bytes))
      for (const [index, colour] of actual.entries())
        expect(deltaE(colour, swatches[index]!)).toBeLessThan(3);
});

const ramp = Array.from({ length: 16 }, (_, index): Triple => [index * 17, index * 17, index * 17]);

test.each([
  ["PQ", PQ, 9],
  ["HLG", HLG, 12],
])("a gray ramp in %s is reduced to what a page shows", async (_, transfer, white) => {
  const plain = await (await squares(ramp)).png().toBuffer();
  for (const bytes of [
    await avif(ramp, { primaries: 9, transfer }, 10),
    png(plain, { primaries: 9, transfer }),
  ])
    for (const actual of await allWays(bytes)) {
      const grays = actual.map(([, green]) => green);
      expect(grays).toEqual(grays.toSorted((a, b) => a - b));
      expect(grays[0]).toBeLessThan(3);
      // the white of paper, 203 nits, and what is brighter
      expect(grays[white]).toBeGreaterThan(225);
      expect(grays[15]).toBeGreaterThan(250);
      // shadows stay dark
      expect(grays[3]).toBeLessThan(60);
      for (const [red, green, blue] of actual)
        expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeLessThan(6);
    }
});

test("linear light is converted", async () => {
  const [actual] = await allWays(await avif(ramp, { primaries: 1, transfer: 8 }, 10));
  // 0.5 is 188 in sRGB
  expect(Math.abs(actual![8]![1] - (188 + 192) / 2)).toBeLessThan(6);
});

test("limited values of a monochrome AVIF are expanded to all values", async () => {
  // a ramp from black to white, left to right; sharp cannot write one
  const bytes = readFileSync("packages/imaging/test/avif/monochrome-limited.avif");
  expect(await AvifColour.read(bytes)).toMatchObject({ isMonochrome: true, isLimited: true });
  const { namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  const plan = Plan.plan({ f: "png" }, source, { avif: false, webp: false });
  for (const picture of [(await render(bytes, plan)).data, namedCopy!.data]) {
    const { channels } = await sharp(picture).stats();
    expect(channels[0]!.min).toBeLessThan(4);
    expect(channels[0]!.max).toBeGreaterThan(251);
    expect(Math.abs(channels[0]!.mean - 127.5)).toBeLessThan(2);
  }
});

test("a damaged AVIF or PNG with numbers is refused, and never an error", async () => {
  const whole = await avif(swatches, P3);
  for (let length = 0; length < 600; length += 7)
    await expect(AvifColour.read(whole.subarray(0, length))).resolves.not.toBeNull();
  for (let at = 0; at < 500; at += 3) {
    const damaged = Buffer.from(whole);
    damaged[at] = 0xff;
    await expect(AvifColour.read(damaged)).resolves.not.toBeNull();
    const outcome = await prepare(damaged, { namedCopy: false }).catch((error: unknown) => error);
    expect(outcome).not.toBeInstanceOf(RangeError);
  }
});
