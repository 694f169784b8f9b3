import { crc32, deflateSync } from "node:zlib";

import type { Sharp } from "sharp";

import * as Gif from "../src/gif.ts";
import { photo } from "./samples.ts";

// Images with metadata in every place that their format has. Texts that no output may contain start with SECRET-.

export const credit = { artist: "Ana Example", copyright: "2026 Ana Example" };

const withMetadata = (image: Sharp) =>
  image
    .withExif({
      IFD0: {
        Artist: credit.artist,
        Copyright: credit.copyright,
        Make: "SECRET-MAKE",
        ImageDescription: "SECRET-DESCRIPTION",
      },
      IFD2: { UserComment: "SECRET-COMMENT", BodySerialNumber: "SECRET-SERIAL" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1", GPSAreaInformation: "SECRET-GPS" },
    })
    .withXmp(
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">SECRET-XMP</rdf:RDF></x:xmpmeta>`,
    );

const exifSecrets = ["MAKE", "DESCRIPTION", "SERIAL", "XMP"];
const afterEnd = Buffer.from("SECRET-BEHIND");

export type MetadataSample = { bytes: Buffer; secrets: string[] };

export const metadataSamples: Record<
  string,
  (width: number, height: number) => Promise<MetadataSample>
> = {
  async jpeg(width, height) {
    const bytes = await withMetadata(photo(width, height)).jpeg({ quality: 95 }).toBuffer();
    const segments = [
      // IPTC within Photoshop's resources: by-line (2:80), city (2:90)
      segment(0xed, Buffer.concat([Buffer.from("Photoshop 3.0\0"), iptc("SECRET-IPTC")])),
      segment(0xfe, Buffer.from("SECRET-NOTE")),
      segment(0xe4, Buffer.from("SECRET-MAKER")),
    ];
    return {
      bytes: Buffer.concat([bytes.subarray(0, 2), ...segments, bytes.subarray(2), afterEnd]),
      secrets: [...exifSecrets, "IPTC", "NOTE", "MAKER", "BEHIND"],
    };
  },
  async png(width, height) {
    const bytes = await withMetadata(photo(width, height)).png().toBuffer();
    const chunks = [
      chunk("tEXt", Buffer.from("Author\0SECRET-TEXT")),
      chunk("iTXt", Buffer.from("Comment\0\0\0en\0\0SECRET-ITXT")),
      chunk("zTXt", Buffer.concat([Buffer.from("Notes\0\0"), deflateSync("SECRET-ZIPPED")])),
      chunk("prIv", Buffer.from("SECRET-OWN")),
    ];
    return {
      bytes: Buffer.concat([bytes.subarray(0, 33), ...chunks, bytes.subarray(33), afterEnd]),
      // the XMP of a PNG is compressed, so its text cannot be searched for
      secrets: ["MAKE", "DESCRIPTION", "SERIAL", "TEXT", "ITXT", "OWN", "BEHIND"],
    };
  },
  async webp(width, height) {
    const bytes = await withMetadata(photo(width, height)).webp({ quality: 95 }).toBuffer();
    const own = Buffer.from("NOTE\x0c\0\0\0SECRET-CHUNK", "latin1");
    const whole = Buffer.concat([bytes, own]);
    whole.writeUInt32LE(whole.length - 8, 4);
    return { bytes: whole, secrets: [...exifSecrets, "CHUNK"] };
  },
  async avif(width, height) {
    const bytes = await withMetadata(photo(width, height)).avif({ effort: 0 }).toBuffer();
    return { bytes, secrets: exifSecrets };
  },
  async tiff(width, height) {
    const bytes = await withMetadata(photo(width, height)).tiff({ compression: "lzw" }).toBuffer();
    // sharp writes no EXIF into a TIFF, so the credit and the camera's make are added to the first directory (IFD0)
    const { artist, copyright } = credit;
    const tags = { 0x010f: "SECRET-MAKE", 0x013b: artist, 0x8298: copyright };
    return { bytes: withTags(bytes, tags), secrets: ["MAKE", "XMP"] };
  },
  async gif(width, height) {
    const bytes = await photo(width, height).gif().toBuffer();
    const note = blocks("SECRET-NOTE");
    const extensions = [
      Buffer.concat([Buffer.from([0x21, 0xfe]), note]),
      Buffer.concat([
        Buffer.from([0x21, 0xff, 11]),
        Buffer.from("XMP DataXMP"),
        blocks("SECRET-XMP"),
      ]),
    ];
    const frame = bytes.indexOf(Buffer.from([0x21, 0xf9, 4]));
    return {
      bytes: Buffer.concat([
        bytes.subarray(0, frame),
        ...extensions,
        bytes.subarray(frame),
        afterEnd,
      ]),
      secrets: ["NOTE", "XMP", "BEHIND"],
    };
  },
  async svg(width, height) {
    const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><!-- SECRET-NOTE --><title>SECRET-TITLE</title><desc>SECRET-DESC</desc><metadata>SECRET-METADATA</metadata><circle cx="40" cy="40" r="30" fill="#c02040"/></svg>`;
    return { bytes: Buffer.from(text), secrets: ["NOTE", "TITLE", "DESC", "METADATA"] };
  },
};

/** The parts of a file, by the names that its format gives them. */
export function listParts(bytes: Buffer): string[] {
  if (bytes[0] === 0xff) return jpegParts(bytes);
  const ascii = (at: number, length: number) => bytes.toString("latin1", at, at + length);
  const found: string[] = [];
  if (ascii(1, 3) === "PNG")
    for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at))
      found.push(ascii(at + 4, 4));
  else if (ascii(0, 4) === "RIFF")
    for (let at = 12; at + 8 <= bytes.length;) {
      found.push(ascii(at, 4));
      const size = bytes.readUInt32LE(at + 4);
      at += 8 + size + (size % 2);
    }
  else if (ascii(4, 4) === "ftyp")
    // items of an ISO file are declared by their type
    found.push(...["Exif", "mime", "uri ", "rICC", "prof"].filter((type) => bytes.includes(type)));
  else if (ascii(0, 3) === "GIF" && !Gif.strip(bytes).equals(bytes)) found.push("metadata");
  return found;
}

function jpegParts(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 2; at + 4 <= bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1]!;
    if (marker === 0xda) return found;
    if (marker >= 0xe0 || marker === 0xfe) found.push(`APP${marker - 0xe0}`);
  }
  return found;
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

function iptc(text: string): Buffer {
  const record = (dataset: number) =>
    Buffer.concat([Buffer.from([0x1c, 2, dataset, 0, text.length]), Buffer.from(text)]);
  const records = Buffer.concat([record(80), record(90)]);
  const head = Buffer.from("8BIM\x04\x04\0\0\0\0\0\0", "latin1");
  head.writeUInt32BE(records.length, 8);
  return Buffer.concat([head, records, Buffer.alloc(records.length % 2)]);
}

function chunk(name: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}

const blocks = (text: string) =>
  Buffer.concat([Buffer.from([text.length]), Buffer.from(text), Buffer.from([0])]);

/** A copy of the TIFF with a new first directory at its end, which adds these text tags. */
function withTags(tiff: Buffer, texts: Record<number, string>): Buffer {
  const directory = tiff.readUInt32LE(4);
  const count = tiff.readUInt16LE(directory);
  const old = Array.from({ length: count }, (_, index) =>
    tiff.subarray(directory + 2 + index * 12, directory + 14 + index * 12),
  );
  let at = tiff.length + (tiff.length % 2);
  const values: Buffer[] = [Buffer.alloc(tiff.length % 2)];
  const added = Object.entries(texts).map(([tag, text]) => {
    const value = Buffer.from(`${text}\0${text.length % 2 ? "" : "\0"}`);
    const entry = Buffer.alloc(12);
    entry.writeUInt16LE(Number(tag), 0);
    entry.writeUInt16LE(2, 2);
    entry.writeUInt32LE(text.length + 1, 4);
    entry.writeUInt32LE(at, 8);
    at += value.length;
    values.push(value);
    return entry;
  });
  const entries = [...old, ...added].toSorted((a, b) => a.readUInt16LE(0) - b.readUInt16LE(0));
  const [head, end] = [Buffer.alloc(2), Buffer.alloc(4)];
  head.writeUInt16LE(entries.length);
  const whole = Buffer.concat([tiff, ...values, head, ...entries, end]);
  whole.writeUInt32LE(at, 4);
  return whole;
}
