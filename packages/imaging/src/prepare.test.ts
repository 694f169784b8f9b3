import { readFileSync } from "node:fs";
import { createHash, randomBytes } from "node:crypto";

import sharp from "sharp";
import { expect, test } from "vitest";

import { corners, disc, gif, photo, quarters } from "../test/samples.ts";
import { MAX_NAMED_COPY_BYTES } from "./limits.ts";
import { prepare } from "./prepare.ts";
import { Refusal } from "./refusal.ts";

const withNamedCopy = { namedCopy: true };
const withoutNamedCopy = { namedCopy: false };
const edges = (rungs: { width: number; height: number }[]) =>
  rungs.map(({ width, height }) => [width, height]);

test("preparing a photograph returns its size, hash, colour, thumbhash and rungs", async () => {
  const bytes = await photo(1500, 1000).jpeg({ quality: 95 }).toBuffer();
  const prepared = await prepare(bytes, withoutNamedCopy);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  expect(prepared).toMatchObject({
    format: "jpeg",
    contentType: "image/jpeg",
    width: 1500,
    height: 1000,
    hasAlpha: false,
    pages: 1,
    sha256,
    rev: sha256.slice(0, 12),
  });
  expect(prepared.color).toMatch(/^#[0-9a-f]{6}$/);
  expect(Buffer.from(prepared.thumbhash, "base64").length).toBeGreaterThan(10);
  expect(edges(prepared.rungs)).toEqual([
    [1024, 683],
    [512, 341],
  ]);
  for (const { data, width, height } of prepared.rungs) {
    expect(await sharp(data).metadata()).toMatchObject({
      format: "jpeg",
      width,
      height,
      chromaSubsampling: width === 1024 ? "4:2:0" : "4:4:4",
    });
  }
});

test("the same bytes give equal results", async () => {
  const bytes = await photo(700, 500).png().toBuffer();
  expect(await prepare(bytes, withNamedCopy)).toEqual(await prepare(bytes, withNamedCopy));
});

test("the largest rung is smaller than the original and at most 2048 pixels or a third of it", async () => {
  const width = async (long: number) => {
    const bytes = await sharp({
      create: { width: long, height: 40, channels: 3, background: "#567" },
    })
      .png({ compressionLevel: 0 })
      .toBuffer();
    return (await prepare(bytes, withoutNamedCopy)).rungs.map((rung) => rung.width);
  };
  expect(await width(600)).toEqual([]);
  expect(await width(1300)).toEqual([1024, 512]);
  expect(await width(3000)).toEqual([2048, 1024, 512]);
  expect(await width(6000)).toEqual([2000, 1024, 512]);
  expect(await width(9000)).toEqual([2048, 1024, 512]);
});

test("the dominant colour is the most frequent one", async () => {
  const bytes = await sharp({
    create: { width: 90, height: 60, channels: 3, background: "#20a060" },
  })
    .composite([
      {
        input: { create: { width: 30, height: 60, channels: 3, background: "#f01010" } },
        left: 0,
        top: 0,
      },
    ])
    .png()
    .toBuffer();
  expect((await prepare(bytes, withoutNamedCopy)).color).toBe("#20a060");
});

test("rungs and named copy keep transparency; an opaque alpha channel is dropped", async () => {
  const prepared = await prepare(
    await disc(1300, 900).png({ compressionLevel: 0 }).toBuffer(),
    withNamedCopy,
  );
  expect(prepared.hasAlpha).toBe(true);
  expect(prepared.color).toMatch(/^#2040c[01]$/);
  for (const { data, contentType } of [...prepared.rungs, prepared.namedCopy!]) {
    expect(contentType).toBe("image/png");
    expect((await sharp(data).stats()).isOpaque).toBe(false);
  }
  const opaque = await prepare(
    await photo(700, 500).ensureAlpha().png().toBuffer(),
    withoutNamedCopy,
  );
  expect([opaque.hasAlpha, opaque.rungs.map((rung) => rung.contentType)]).toEqual([
    false,
    ["image/jpeg"],
  ]);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "orientation %i: named copy and rungs are upright",
  async (orientation) => {
    const stored = await quarters(1300, 900)
      .withMetadata({ orientation })
      .jpeg({ quality: 95 })
      .toBuffer();
    const upright = await corners(await sharp(stored).autoOrient().png().toBuffer());
    const { rungs, namedCopy: copy, width, height } = await prepare(stored, withNamedCopy);
    expect([width, height]).toEqual(orientation < 5 ? [1300, 900] : [900, 1300]);
    for (const { data } of [...rungs, copy!]) {
      expect(await corners(data)).toEqual(upright);
      expect((await sharp(data).metadata()).orientation).toBeUndefined();
    }
  },
);

test.each(["jpeg", "png", "webp"] as const)(
  "the named copy of a %s has its format and size, and no metadata",
  async (format) => {
    const exif = {
      IFD0: { Copyright: "SECRETNAME" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" },
    };
    const bytes = await photo(700, 500)
      .withExif(exif)
      .withXmp("<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRETXMP</x:xmpmeta>")
      .toFormat(format)
      .toBuffer();
    expect(bytes.includes("SECRETNAME")).toBe(true);
    const prepared = await prepare(bytes, withNamedCopy);
    expect(prepared.namedCopy?.contentType).toBe(`image/${format}`);
    expect(await sharp(prepared.namedCopy?.data).metadata()).toMatchObject({
      format,
      width: 700,
      height: 500,
    });
    for (const { data } of [...prepared.rungs, prepared.namedCopy!])
      expect(data.toString("latin1")).not.toMatch(/SECRET|Exif|xmpmeta|GPS/);
  },
);

test("the named copy of a GIF keeps its animation and loses its comments", async () => {
  const bytes = await gif(60, 40, ["red", "lime", "blue"], 90);
  const note = Buffer.from("SECRETNAME");
  const comment = Buffer.concat([Buffer.from([0x21, 0xfe, note.length]), note, Buffer.from([0])]);
  const withComment = Buffer.concat([bytes.subarray(0, -1), comment, Buffer.from([0x3b])]);
  const { namedCopy: copy, rungs, pages } = await prepare(withComment, withNamedCopy);
  expect([pages, rungs, copy?.contentType]).toEqual([3, [], "image/gif"]);
  expect(copy?.data.includes("SECRET")).toBe(false);
  expect(await sharp(copy?.data).metadata()).toMatchObject({
    pages: 3,
    delay: [90, 90, 90],
    loop: 0,
  });
});

test.each([
  ["jpeg", 3000, 2400],
  ["png", 2000, 1700],
] as const)(
  "the named copy of a large %s is small enough for the gateway",
  { timeout: 120_000 },
  async (format, width, height) => {
    const noise = sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } });
    const encoder =
      format === "jpeg" ? noise.jpeg({ quality: 100 }) : noise.png({ compressionLevel: 0 });
    const bytes = await encoder.toBuffer();
    expect(bytes.length).toBeGreaterThan(MAX_NAMED_COPY_BYTES);
    const { namedCopy: copy } = await prepare(bytes, withNamedCopy);
    expect(copy!.contentType).toBe(`image/${format}`);
    expect(copy!.data.length).toBeLessThan(MAX_NAMED_COPY_BYTES);
    expect(copy!.data.length).toBeGreaterThan(MAX_NAMED_COPY_BYTES / 3);
  },
);

test.each(["jpeg", "png", "webp", "avif", "tiff", "gif"] as const)(
  "a %s that is truncated at any tenth is refused",
  async (format) => {
    const bytes = await photo(300, 200).toFormat(format).toBuffer();
    for (const tenths of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const part = bytes.subarray(0, Math.floor((bytes.length * tenths) / 10));
      await expect(prepare(part, withNamedCopy)).rejects.toMatchObject({
        name: "Refusal",
        kind: expect.stringMatching(/unprocessable|unsupported/),
      });
    }
  },
);

test("an SVG is drawn once, into PNG rungs with its transparency", async () => {
  const drawing = (size: string) =>
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 4 2"><path d="M0 0h2v2H0z"/></svg>`,
    );
  const icon = await prepare(drawing('width="24.3" height="12"'), withNamedCopy);
  expect(icon).toMatchObject({ width: 24, height: 12, hasAlpha: true, format: "svg" });
  expect(edges(icon.rungs)).toEqual([
    [2064, 1032],
    [1024, 512],
    [512, 256],
  ]);
  expect(await sharp(icon.namedCopy!.data).metadata()).toMatchObject({
    format: "png",
    width: 24,
    height: 12,
  });
  for (const { data, width, height } of icon.rungs)
    expect(await sharp(data).metadata()).toMatchObject({ format: "png", width, height });
  // the edge at the middle is one pixel wide in the largest
  const { data } = await sharp(icon.rungs[0]!.data).raw().toBuffer({ resolveWithObject: true });
  const alpha = (x: number) => data[(500 * 2064 + x) * 4 + 3];
  expect([alpha(1031), alpha(1033)]).toEqual([255, 0]);

  const shapes = `<path d="M0 0h2v2H0z"/>`.repeat(2000);
  const costly = drawing('width="400" height="200"')
    .toString()
    .replace("</svg>", `${shapes}</svg>`);
  expect(edges((await prepare(Buffer.from(costly), withoutNamedCopy)).rungs)).toEqual([
    [1600, 800],
    [1024, 512],
    [512, 256],
  ]);
  const large = await prepare(drawing('width="3000" height="1500"'), withoutNamedCopy);
  expect(edges(large.rungs)[0]).toEqual([3000, 1500]);
  const opaque = drawing('width="999" height="777" preserveAspectRatio="none"').toString();
  const { rungs, hasAlpha } = await prepare(
    Buffer.from(opaque.replace("h2", "h4")),
    withoutNamedCopy,
  );
  expect(hasAlpha).toBe(false);
  expect(await sharp(rungs[0]!.data).metadata()).toMatchObject({ format: "png", channels: 3 });
});

test("an animation is refused or accepted for its bytes, published or not", async () => {
  const whole = await gif(60, 40, ["red", "lime", "blue"]);
  const webp = await sharp(whole, { animated: true }).webp().toBuffer();
  // the last frame's data, which nothing but that frame needs
  const damagedWebp = Buffer.from(webp);
  damagedWebp.fill(0, webp.lastIndexOf("VP8") + 8);
  const files: [Buffer, boolean][] = [
    [whole, true],
    [whole.subarray(0, -1), true],
    [Buffer.concat([whole.subarray(0, -1), Buffer.from("\x55garbage")]), true],
    [whole.subarray(0, -8), false],
    [webp, true],
    [damagedWebp, false],
  ];
  for (const [bytes, isAccepted] of files)
    for (const options of [withNamedCopy, withoutNamedCopy]) {
      const outcome = await prepare(bytes, options).then(
        ({ pages }) => `${pages} frames`,
        (error: unknown) => (error instanceof Refusal ? "refused" : String(error)),
      );
      expect(outcome).toBe(isAccepted ? "3 frames" : "refused");
    }
});

test.each<[string, () => Promise<Buffer>]>([
  ...[30, 60, 75, 80, 90, 95].map((quality): [string, () => Promise<Buffer>] => [
    `a JPEG of quality ${quality}`,
    () => photo(900, 700).jpeg({ quality }).toBuffer(),
  ]),
  ["a progressive JPEG", () => photo(900, 700).jpeg({ mozjpeg: true, quality: 70 }).toBuffer()],
  ["a gray JPEG", () => photo(900, 700).grayscale().jpeg({ quality: 70 }).toBuffer()],
  ["a rotated JPEG", () => photo(900, 700).withMetadata({ orientation: 6 }).jpeg().toBuffer()],
  ["a WebP of low quality", () => photo(900, 700).webp({ quality: 50 }).toBuffer()],
  ["a gray PNG", () => photo(400, 300).grayscale().toColourspace("b-w").png().toBuffer()],
  ["a PNG with a palette", () => photo(400, 300).png({ palette: true }).toBuffer()],
  ["a TIFF", () => photo(400, 300).tiff({ compression: "lzw" }).toBuffer()],
])("the named copy of %s is not larger than the original", async (_, make) => {
  const bytes = await make();
  const { namedCopy: copy } = await prepare(bytes, withNamedCopy);
  expect(copy!.data.length).toBeLessThanOrEqual(bytes.length);
});

test("the named copies of the pictures of the demonstration are not larger than these", async () => {
  for (const name of ["koi", "pier", "stonehenge"]) {
    const bytes = readFileSync(`tools/start/pictures/${name}.jpg`);
    const { namedCopy: copy } = await prepare(bytes, withNamedCopy);
    expect(copy!.contentType).toBe("image/jpeg");
    expect(copy!.data.length).toBeLessThanOrEqual(bytes.length);
  }
});
