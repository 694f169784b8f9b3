import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import sharp from "sharp";
import { expect, test } from "vitest";

import { gif } from "../test/samples.ts";
import { type Planted, credit, parts, planted } from "../test/metadata-samples.ts";
import * as ExifCredit from "./exif-credit.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render, renderInto } from "./render.ts";
import type { Request } from "./request.ts";

const none = { avif: false, webp: false };
const formats = ["avif", "webp", "jpeg", "png", "gif"] as const;

/** Everything that is made of a picture and leaves, by where it leaves. */
async function leaving({ bytes }: Planted, request: Request = {}) {
  const { rungs, namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  const made: Record<string, Buffer> = { namedCopy: namedCopy!.data };
  for (const rung of rungs) made[`rung ${rung.width}`] = rung.data;
  for (const f of formats) {
    const plan = Plan.plan({ ...request, w: 300, f }, source, none);
    made[`${f} of the original`] = (await render(bytes, plan)).data;
    for (const rung of rungs.slice(-1))
      made[`${f} of a rung`] = (await render(rung.data, plan, rung)).data;
    made[`${f} in a file`] = await inFile(bytes, plan);
  }
  return made;
}

async function inFile(bytes: Buffer, plan: Plan.Plan) {
  const folder = mkdtempSync(join(tmpdir(), "balde-metadata-"));
  try {
    const file = join(folder, `picture.${plan.encoding.format}`);
    await renderInto(file, bytes, plan);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Parts that hold pixels or say how to show them. */
const silent = /^(IHDR|PLTE|tRNS|pHYs|sRGB|gAMA|cHRM|IDAT|IEND|VP8[ LX]|ALPH|ANIM|ANMF|APP0)$/;
const telling = (bytes: Buffer) => parts(bytes).filter((part) => !silent.test(part));

/** The ways by which something leaves that must not. */
const leaks = (ways: [string, Buffer][], allowed: (bytes: Buffer) => string[], words: RegExp) =>
  ways
    .filter(
      ([, bytes]) =>
        telling(bytes).join() !== allowed(bytes).join() || words.test(bytes.toString("latin1")),
    )
    .map(([way]) => way);

const nothing = () => [];
/** Where each format keeps its EXIF, by the format's first byte. */
const exifOnly = (bytes: Buffer) => [
  { 0xff: "APP1", 0x52: "EXIF", 0x89: "eXIf", 0: "Exif" }[bytes[0]!]!,
];

for (const [format, plant] of Object.entries(planted)) {
  test(`of all that a ${format} says, nothing leaves by any way`, async () => {
    const picture = await plant(900, 600);
    const unsaid = picture.secrets.filter((secret) => !picture.bytes.includes(`SECRET-${secret}`));
    expect(unsaid).toEqual([]);
    const ways = Object.entries(await leaving(picture));
    expect(leaks(ways, nothing, /SECRET|Ana Example|xmpmeta|Photoshop/)).toEqual([]);
  });
}

for (const format of ["jpeg", "png", "webp", "avif", "tiff"] as const) {
  test(`who made a ${format}, and nothing else, leaves when it is asked for`, async () => {
    const picture = await planted[format]!(900, 600);
    const ways = Object.entries(await leaving(picture, { meta: "copyright" }));
    const [kept, others] = [/^(avif|webp|jpeg|png) /, /^(gif |rung|namedCopy)/].map((which) =>
      ways.filter(([way]) => which.test(way)),
    ) as [typeof ways, typeof ways];
    // four formats, from the original and in a file; a rung is not kept where it is larger than the original
    expect(kept.length).toBeGreaterThanOrEqual(8);
    expect(kept.length + others.length).toBe(ways.length);
    expect(leaks(kept, exifOnly, /SECRET|xmpmeta|Photoshop/)).toEqual([]);
    expect(leaks(others, nothing, /SECRET|Ana Example/)).toEqual([]);
    const read = kept.map(async ([, bytes]) =>
      ExifCredit.read((await sharp(bytes).metadata()).exif),
    );
    expect(await Promise.all(read)).toEqual(kept.map(() => credit));
  });
}

test("a moving picture keeps to the same rule", async () => {
  const frames = await gif(60, 40, ["red", "lime", "blue"]);
  const { artist, copyright } = credit;
  const bytes = await sharp(frames, { animated: true })
    .withExif({ IFD0: { Artist: artist, Copyright: copyright, Make: "SECRET" } })
    .webp()
    .toBuffer();
  const { rungs: _, namedCopy, ...source } = await prepare(bytes, { namedCopy: true });
  expect(telling(namedCopy!.data)).toEqual([]);
  const of = async (request: Request) =>
    (await render(bytes, Plan.plan({ ...request, f: "webp" }, source, none))).data;
  expect(telling(await of({}))).toEqual([]);
  const kept = await of({ meta: "copyright" });
  expect(ExifCredit.read((await sharp(kept).metadata()).exif)).toEqual(credit);
  expect(kept.includes("SECRET")).toBe(false);
});

test("nothing to say is the same picture as nothing asked", () => {
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
