import sharp from "sharp";
import { expect, test } from "vitest";

import { renderRequest } from "../test/render-request.ts";
import { difference, photo } from "../test/samples.ts";
import { type TiffPage, tiff } from "../test/tiff.ts";
import { identify } from "./identify.ts";
import { prepare } from "./prepare.ts";

const withNamedCopy = { namedCopy: true };

const jpegs: [string, () => Promise<Buffer>][] = [
  ["a baseline JPEG", () => photo(300, 200).jpeg().toBuffer()],
  ["a progressive JPEG", () => photo(300, 200).jpeg({ progressive: true }).toBuffer()],
  ["a gray JPEG", () => photo(300, 200).grayscale().jpeg().toBuffer()],
  [
    "a JPEG with whole chroma",
    () => photo(301, 203).jpeg({ chromaSubsampling: "4:4:4" }).toBuffer(),
  ],
];

test.each(jpegs)("%s without the marker of its end is the whole picture", async (_, make) => {
  const whole = await make();
  const bytes = whole.subarray(0, -2);
  const prepared = await prepare(bytes, withNamedCopy);
  expect(prepared).toMatchObject({ width: expect.any(Number), format: "jpeg" });
  const { data } = await renderRequest(bytes, { w: 150, f: "png" });
  const expected = await renderRequest(whole, { w: 150, f: "png" });
  expect(await difference(data, expected.data)).toBe(0);
});

test.each(jpegs)("%s of which pixels are missing is truncated", async (_, make) => {
  const whole = await make();
  for (const missing of [6, 40, 400])
    for (const namedCopy of [true, false])
      await expect(prepare(whole.subarray(0, -missing), { namedCopy })).rejects.toMatchObject({
        code: "image.truncated",
      });
});

test("a JPEG with bytes behind its end, or in a camera's preview, is not cut", async () => {
  const whole = await jpegs[0]![1]();
  await expect(
    prepare(Buffer.concat([whole, Buffer.from("trailer of a phone")]), withNamedCopy),
  ).resolves.toMatchObject({ width: 300 });
});

const red: [number, number, number] = [200, 20, 20];
const green: [number, number, number] = [20, 160, 20];
const image: TiffPage = { width: 160, height: 120, rgb: green };
const thumbnail: TiffPage = { width: 40, height: 30, rgb: red };
const layouts: [string, TiffPage[], TiffPage][] = [
  ["one page", [image], image],
  ["a thumbnail that says so, then the image", [{ ...thumbnail, subfileType: 1 }, image], image],
  [
    "a thumbnail of another shape that says so",
    [{ ...thumbnail, height: 40, subfileType: 1 }, image],
    image,
  ],
  ["a thumbnail that does not say so", [thumbnail, image], image],
  [
    "a thumbnail with the image inside it",
    [{ ...thumbnail, subfileType: 1, inner: [image] }],
    image,
  ],
  [
    "a thumbnail with a preview and the image inside it",
    [
      {
        ...thumbnail,
        subfileType: 1,
        inner: [{ ...thumbnail, width: 80, height: 60, subfileType: 1 }, image],
      },
    ],
    image,
  ],
  ["a mask, then the image", [{ ...thumbnail, subfileType: 4 }, image], image],
  ["the image, then a thumbnail", [image, { ...thumbnail, subfileType: 1 }], image],
  [
    "two pages of a document",
    [{ ...image, rgb: red, height: 80 }, image],
    { ...image, rgb: red, height: 80 },
  ],
  ["only a smaller copy", [{ ...thumbnail, subfileType: 1 }], thumbnail],
];

for (const options of [{}, { isLittle: false }, { isBig: true }, { isBig: true, isLittle: false }])
  test.each(layouts)(
    `a TIFF (${JSON.stringify(options)}) with %s shows the image`,
    async (_, pages, expected) => {
      const bytes = tiff(pages, options);
      const { width, height } = expected;
      const prepared = await prepare(bytes, withNamedCopy);
      expect(prepared).toMatchObject({ width, height, format: "tiff" });
      const { data } = await renderRequest(bytes, { f: "png" });
      for (const picture of [data, prepared.namedCopy!.data]) {
        const { dominant } = await sharp(picture).stats();
        expect(Math.abs(dominant.g - expected.rgb[1])).toBeLessThan(12);
      }
    },
  );

test.each<[string, TiffPage[]]>([
  ["a DNG", [{ ...thumbnail, subfileType: 1, tags: { 50706: 1 }, inner: [image] }]],
  [
    "sensor data inside a thumbnail",
    [{ ...thumbnail, subfileType: 1, inner: [{ ...image, photometric: 32803 }] }],
  ],
  ["sensor data at the front", [{ ...image, photometric: 32803 }]],
  ["linear sensor data", [thumbnail, { ...image, photometric: 34892 }]],
])("%s is refused as camera raw data", async (_, pages) => {
  for (const options of [{}, { isLittle: false }])
    await expect(identify(tiff(pages, options))).rejects.toMatchObject({
      code: "image.unsupported",
      detail: expect.stringMatching(/camera raw/),
    });
});

test("directories that refer to each other in a circle end", async () => {
  const bytes = tiff([image]);
  const directory = bytes.readUInt32LE(4);
  bytes.writeUInt32LE(directory, bytes.length - 4);
  await expect(identify(bytes)).resolves.toMatchObject({ width: 160 });
});
