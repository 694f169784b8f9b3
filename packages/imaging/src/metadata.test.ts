import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import sharp from "sharp";
import { expect, test } from "vitest";

import { gif } from "../test/samples.ts";
import {
  type MetadataSample,
  credit,
  listParts,
  metadataSamples,
} from "../test/metadata-samples.ts";
import * as ExifCredit from "./exif-credit.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render, renderInto } from "./render.ts";
import type { Request } from "./request.ts";

const none = { avif: false, webp: false };
const formats = ["avif", "webp", "jpeg", "png", "gif"] as const;

/** Every file that Balde makes of an image, by the way it is made. */
async function allOutputs({ bytes }: MetadataSample, request: Request = {}) {
  const { rungs, namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  const outputs: Record<string, Buffer> = { namedCopy: namedCopy!.data };
  for (const rung of rungs) outputs[`rung ${rung.width}`] = rung.data;
  for (const f of formats) {
    const plan = Plan.plan({ ...request, w: 120, f }, source, none);
    outputs[`${f} of the original`] = (await render(bytes, plan)).data;
    for (const rung of rungs.slice(-1))
      outputs[`${f} of a rung`] = (await render(rung.data, plan, rung)).data;
    outputs[`${f} rendered into a file`] = await renderToFile(bytes, plan);
  }
  return outputs;
}

async function renderToFile(bytes: Buffer, plan: Plan.Plan) {
  const folder = mkdtempSync(join(tmpdir(), "balde-metadata-"));
  try {
    const file = join(folder, `picture.${plan.encoding.format}`);
    await renderInto(file, bytes, plan);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Parts that hold pixels or describe how to display them; every other part is metadata. */
const PIXEL_PARTS = /^(IHDR|PLTE|tRNS|pHYs|sRGB|gAMA|cHRM|IDAT|IEND|VP8[ LX]|ALPH|ANIM|ANMF|APP0)$/;
const metadataParts = (bytes: Buffer) => listParts(bytes).filter((part) => !PIXEL_PARTS.test(part));

/** The ways whose output has metadata that is not allowed. */
const leaks = (ways: [string, Buffer][], allowed: (bytes: Buffer) => string[], forbidden: RegExp) =>
  ways
    .filter(
      ([, bytes]) =>
        metadataParts(bytes).join() !== allowed(bytes).join() ||
        forbidden.test(bytes.toString("latin1")),
    )
    .map(([way]) => way);

const noParts = () => [];
/** Where each format keeps its EXIF, by the format's first byte. */
const exifOnly = (bytes: Buffer) => [
  { 0xff: "APP1", 0x52: "EXIF", 0x89: "eXIf", 0: "Exif" }[bytes[0]!]!,
];

for (const [format, sample] of Object.entries(metadataSamples)) {
  test(`no output of a ${format} has metadata of the upload`, async () => {
    const image = await sample(700, 467);
    const missing = image.secrets.filter((secret) => !image.bytes.includes(`SECRET-${secret}`));
    expect(missing).toEqual([]);
    const outputs = Object.entries(await allOutputs(image));
    expect(leaks(outputs, noParts, /SECRET|Ana Example|xmpmeta|Photoshop/)).toEqual([]);
  });
}

for (const format of ["jpeg", "png", "webp", "avif", "tiff"] as const) {
  test(`meta=copyright writes the credit of a ${format} and no other metadata`, async () => {
    const image = await metadataSamples[format]!(700, 467);
    const outputs = Object.entries(await allOutputs(image, { meta: "copyright" }));
    const [withCredit, others] = [/^(avif|webp|jpeg|png) /, /^(gif |rung|namedCopy)/].map((which) =>
      outputs.filter(([way]) => which.test(way)),
    ) as [typeof outputs, typeof outputs];
    // four formats, each as a buffer and as a file; there is no rung where it would be larger than the original
    expect(withCredit.length).toBeGreaterThanOrEqual(8);
    expect(withCredit.length + others.length).toBe(outputs.length);
    expect(leaks(withCredit, exifOnly, /SECRET|xmpmeta|Photoshop/)).toEqual([]);
    expect(leaks(others, noParts, /SECRET|Ana Example/)).toEqual([]);
    const read = withCredit.map(
      async ([, bytes]) => await ExifCredit.read((await sharp(bytes).metadata()).exif),
    );
    expect(await Promise.all(read)).toEqual(withCredit.map(() => credit));
  });
}

test("an animation has no metadata except a requested credit", async () => {
  const frames = await gif(60, 40, ["red", "lime", "blue"]);
  const { artist, copyright } = credit;
  const bytes = await sharp(frames, { animated: true })
    .withExif({ IFD0: { Artist: artist, Copyright: copyright, Make: "SECRET" } })
    .webp()
    .toBuffer();
  const { rungs: _, namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  expect(metadataParts(namedCopy!.data)).toEqual([]);
  const of = async (request: Request) =>
    (await render(bytes, Plan.plan({ ...request, f: "webp" }, source, none))).data;
  expect(metadataParts(await of({}))).toEqual([]);
  const kept = await of({ meta: "copyright" });
  expect(await ExifCredit.read((await sharp(kept).metadata()).exif)).toEqual(credit);
  expect(kept.includes("SECRET")).toBe(false);
});

test("the plan of an image without a credit equals the plan without meta", () => {
  const source = { width: 90, height: 60, format: "jpeg", hasAlpha: false, pages: 1 } as const;
  const hash = (request: Request, credit?: ExifCredit.Credit) =>
    Plan.hash(Plan.plan({ f: "jpeg", ...request }, { ...source, credit }, none));
  const plain = hash({}, credit);
  expect(hash({ meta: "none" }, credit)).toBe(plain);
  expect(hash({ meta: "copyright" }, {})).toBe(plain);
  expect(hash({ meta: "copyright" })).toBe(plain);
  expect(hash({ meta: "copyright", f: "gif" }, credit)).toBe(hash({ f: "gif" }));
  expect(hash({ meta: "copyright" }, credit)).not.toBe(plain);
});
