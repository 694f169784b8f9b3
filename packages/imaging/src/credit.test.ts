import sharp from "sharp";
import { expect, test } from "vitest";

import { photo } from "../test/samples.ts";
import type { Credit } from "./credit-text.ts";
import * as ExifCredit from "./exif-credit.ts";
import { formats } from "./format.ts";
import { identify } from "./identify.ts";
import * as IptcCredit from "./iptc-credit.ts";
import * as Plan from "./plan.ts";
import { prepare } from "./prepare.ts";
import { render } from "./render.ts";
import * as XmpCredit from "./xmp-credit.ts";

const carrying = (Object.keys(formats) as (keyof typeof formats)[]).filter(
  (format) => formats[format].carriesText,
);

const credits: [string, Credit][] = [
  ["Japanese and Cyrillic", { artist: "山田太郎", copyright: "© 2024 Фотограф Иван" }],
  ["Spanish", { artist: "José Núñez", copyright: "José Núñez, 2026" }],
  ["one in ASCII", { artist: "Ana Example", copyright: "© Ana" }],
  ["characters of XML", { artist: "A & B <c> \"d\" 'é'" }],
  ["right to left, with an emoji", { copyright: "© محمد 🐟" }],
];

for (const format of carrying)
  test.each(credits)(`a ${format} carries a credit with %s as it was`, async (_, credit) => {
    const original = await photo(700, 500).jpeg().toBuffer();
    const { rungs, ...source } = await prepare(original, { namedCopy: false });
    const plan = Plan.plan(
      { w: 200, meta: "copyright", f: format },
      { ...source, credit },
      { avif: true, webp: true },
    );
    const rung = rungs.at(-1)!;
    for (const data of [
      (await render(original, plan)).data,
      (await render(rung.data, plan, rung)).data,
    ]) {
      expect((await identify(data)).credit).toEqual(credit);
      expect(data.includes("????")).toBe(false);
    }
  });

const dc = (inner: string, attributes = "") =>
  Buffer.from(
    `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" ${attributes}>${inner}</rdf:Description></rdf:RDF></x:xmpmeta>${" ".repeat(2000)}<?xpacket end="w"?>`,
  );

test.each<[string, Buffer, Credit]>([
  [
    "lists",
    dc(
      `<dc:creator><rdf:Seq><rdf:li>山田</rdf:li><rdf:li>Ana</rdf:li></rdf:Seq></dc:creator><dc:rights><rdf:Alt><rdf:li xml:lang="de">Nein</rdf:li><rdf:li xml:lang="x-default">© 山田</rdf:li></rdf:Alt></dc:rights>`,
    ),
    { artist: "山田; Ana", copyright: "© 山田" },
  ],
  [
    "attributes",
    dc("", `tiff:Artist="Ana" dc:rights="© Ana &amp; Bo"`),
    { artist: "Ana", copyright: "© Ana & Bo" },
  ],
  [
    "simple elements",
    dc("<tiff:Copyright>All rights</tiff:Copyright><dc:creator>Ana</dc:creator>"),
    { artist: "Ana", copyright: "All rights" },
  ],
  [
    "one author twice",
    dc(
      `<dc:creator><rdf:Seq><rdf:li>Ana</rdf:li></rdf:Seq></dc:creator><tiff:Artist>Ana</tiff:Artist>`,
    ),
    { artist: "Ana" },
  ],
  [
    "a mistake after it",
    Buffer.concat([dc("<dc:creator>Ana</dc:creator>"), Buffer.from("<oops")]),
    { artist: "Ana" },
  ],
  ["nothing of it", dc("<dc:title>SECRET</dc:title>"), {}],
  ["no XML", Buffer.from("\xff\0garbage", "latin1"), {}],
])("XMP with %s is read", async (_, xmp, credit) => {
  expect(await XmpCredit.read(xmp)).toEqual(credit);
});

const dataset = (number: number, text: string | Buffer) => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(0x1c, 2, number, bytes.length >> 8, bytes.length & 255), bytes]);
};
const resource = (iptc: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(iptc.length);
  return Buffer.concat([Buffer.from("8BIM\x04\x04\0\0", "latin1"), length, iptc]);
};
const names = Buffer.concat([
  dataset(80, "山田太郎"),
  dataset(80, Buffer.from("Jos\xe9", "latin1")),
  dataset(90, "SECRET city"),
  dataset(116, "© 2026"),
]);

test("IPTC is read, in Photoshop's resources too", () => {
  const credit = { artist: "山田太郎; José", copyright: "© 2026" };
  expect(IptcCredit.read(names)).toEqual(credit);
  expect(IptcCredit.read(resource(names))).toEqual(credit);
  expect(IptcCredit.read(undefined)).toEqual({});
});

test("damaged IPTC and XMP never throw", async () => {
  for (const whole of [resource(names), dc("<dc:creator>Ana</dc:creator>")])
    for (let length = 0; length < whole.length; length += 3) {
      expect(IptcCredit.read(whole.subarray(0, length))).toBeDefined();
      await expect(XmpCredit.read(whole.subarray(0, length))).resolves.toBeDefined();
    }
});

test("a credit is read from EXIF, else from XMP, else from IPTC, text by text", async () => {
  const jpeg = await photo(60, 40)
    .withExif({ IFD0: { Artist: "Exif Artist" } })
    .withXmp(dc("<dc:creator>Xmp Artist</dc:creator>").toString())
    .jpeg()
    .toBuffer();
  const body = Buffer.concat([Buffer.from("Photoshop 3.0\0"), resource(names)]);
  const head = Buffer.of(0xff, 0xed, (body.length + 2) >> 8, (body.length + 2) & 255);
  const whole = Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
  expect((await identify(whole)).credit).toEqual({ artist: "Exif Artist", copyright: "© 2026" });
  for (const format of ["jpeg", "png", "webp", "tiff"] as const) {
    const bytes = await photo(60, 40)
      .withXmp(dc("<dc:creator>山田</dc:creator>").toString())
      .toFormat(format)
      .toBuffer();
    expect((await identify(bytes)).credit).toEqual({ artist: "山田" });
  }
  expect(await ExifCredit.read((await sharp(whole).metadata()).exif)).toEqual({
    artist: "Exif Artist",
  });
});
