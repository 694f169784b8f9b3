import type { JpegOptions } from "sharp";

import { checkIsWhole, decodable } from "./decodable.ts";
import type { Credit } from "./exif-credit.ts";
import { withTransparentScreen } from "./gif-screen.ts";
import { toSrgb } from "./input-colour.ts";
import { loadSharp } from "./load-sharp.ts";
import * as Format from "./format.ts";
import * as Gif from "./gif.ts";
import { type Header, identify } from "./identify.ts";
import * as ImageBytes from "./image-bytes.ts";
import * as Ladder from "./ladder.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import * as Placeholder from "./placeholder.ts";
import { type NamedCopy, makeNamedCopy } from "./named-copy.ts";
import { type RawPicture, openRaw, toRaw } from "./raw-picture.ts";
import { refuseBadInput } from "./refusal.ts";
import * as SvgRaster from "./svg-raster.ts";

/** The results of preparing an image, once, at ingest. */
export type Prepared = {
  format: Header["format"];
  contentType: string;
  /** In pixels, of one frame, upright. */
  width: number;
  height: number;
  /** Whether any pixel is transparent; an alpha channel alone is not enough. */
  hasAlpha: boolean;
  pages: number;
  /** Hexadecimal SHA-256 of the bytes; its first 12 digits are the revision. */
  sha256: string;
  rev: string;
  /** `#rrggbb`, the dominant colour. */
  color: string;
  /** base64 */
  thumbhash: string;
  /** Empty if the original names no artist and no copyright. */
  credit: Credit;
  rungs: (Ladder.Rung & { data: Buffer })[];
  namedCopy?: NamedCopy;
};

/**
 * Checks the bytes, decodes them once, and makes the rungs that delivery reads, the placeholder and, with `namedCopy`, the
 * copy that `GET /s3` serves.
 *
 * @throws Refusal with the codes of `identify`, image.damaged, image.truncated or image.too_complex
 */
export async function prepare(
  image: ImageBytes.ImageBytes,
  options: { namedCopy: boolean },
): Promise<Prepared> {
  const header = await identify(image);
  const size = await ImageBytes.sizeOf(image);
  // libvips decodes in threads of its own meanwhile
  const hashing = ImageBytes.sha256(image);
  hashing.catch(() => {});
  // from a file, librsvg would follow links to files beside it
  const bytes = await decodable(header.format === "svg" ? await ImageBytes.readAll(image) : image);
  return refuseBadInput(async () => {
    if (header.lacksEnd) await checkIsWhole(image, header);
    const raster =
      header.format === "svg" ? SvgRaster.find(await ImageBytes.readAll(bytes), header) : undefined;
    const isDecodedOnce = Format.isDecodedOnce(header.format);
    const sizes = isDecodedOnce
      ? Ladder.allRungs(raster ?? header)
      : header.pages > 1
        ? []
        : Ladder.rungs(header);
    const copySize = fitInto(header, Limits.MAX_NAMED_COPY_EDGE);
    const base = await decodeOnce(
      raster?.bytes ?? (await decodedHeif(bytes, header)),
      header,
      raster ??
        (options.namedCopy && !isDecodedOnce
          ? copySize
          : (sizes[0] ?? fitInto(header, Limits.RUNG_EDGES[0]))),
    );
    if (header.pages > 1) await checkFrames(bytes, header);
    const hasAlpha = !isOpaque(base);
    const { smallest, encoded } = await makeRungs(base, sizes, hasAlpha, header.format);
    // a rung that is larger than the original saves nothing, unless there is nothing else to deliver from
    const rungs = isDecodedOnce ? encoded : encoded.filter(({ data }) => data.length < size);
    const namedCopy = options.namedCopy
      ? {
          namedCopy: await makeNamedCopy(
            bytes,
            header,
            isDecodedOnce ? await resized(base, copySize) : base,
            hasAlpha,
          ),
        }
      : {};
    const { width, height, format, contentType, pages, credit } = header;
    const sha256 = await hashing;
    return {
      format,
      contentType,
      width,
      height,
      hasAlpha,
      pages,
      sha256,
      rev: sha256.slice(0, 12),
      ...(await makePlaceholder(smallest)),
      credit,
      rungs,
      ...namedCopy,
    };
  });
}

/** The image in a form that libvips decodes: that of a HEIC is uncompressed. */
async function decodedHeif(
  image: ImageBytes.ImageBytes,
  { format }: Header,
): Promise<ImageBytes.ImageBytes> {
  if (format !== "heic") return image;
  const { toTiff } = await import("./heif/decode-heif.ts");
  return toTiff(image);
}

/** The only decode: upright, sRGB, 8 bits, no larger than the largest result. */
async function decodeOnce(
  bytes: ImageBytes.ImageBytes,
  header: Header,
  size: Size,
): Promise<RawPicture> {
  const sharp = await loadSharp();
  const { width, height } = size;
  const input = await withTransparentScreen(bytes);
  const original = sharp(input.bytes, {
    page: input.firstPage,
    ...(header.format === "svg" && { density: SvgRaster.DENSITY }),
    failOn: "error",
    limitInputPixels: Limits.MAX_PIXELS[header.format],
    sequentialRead: true,
  });
  const upright = header.pages > 1 ? original : original.autoOrient();
  return toRaw(
    toSrgb(upright, header.colour)
      .timeout({ seconds: Limits.PREPARE_SECONDS })
      .resize({ width, height, fit: "fill" }),
  );
}

/**
 * Decodes all frames of an animation, once for every image and not only for one that is published: a picture is refused for
 * its bytes, never for what is done with it.
 */
async function checkFrames(image: ImageBytes.ImageBytes, { format }: Header): Promise<void> {
  if (format === "gif" && (await ImageBytes.sizeOf(image)) <= Gif.MAX_CHECKED_BYTES)
    Gif.strip(await ImageBytes.readAll(image));
  const sharp = await loadSharp();
  await sharp(image, {
    animated: true,
    failOn: "error",
    limitInputPixels: Limits.MAX_ANIMATION_PIXELS,
    sequentialRead: true,
  })
    .timeout({ seconds: Limits.PREPARE_SECONDS })
    .resize({ width: 1, height: 1, fit: "fill", kernel: "nearest" })
    .raw()
    .toBuffer();
}

/** Each rung is scaled from the one above it, while that one is being encoded. */
async function makeRungs(base: RawPicture, sizes: Size[], hasAlpha: boolean, format: string) {
  const encoding: Promise<Ladder.Rung & { data: Buffer }>[] = [];
  let above = base;
  for (const size of sizes) {
    above = await resized(above, size);
    const isWhole = size === sizes[0] && Format.isDecodedOnce(format);
    const jpeg = isWhole ? Ladder.wholeJpeg : Ladder.jpeg(above);
    encoding.push(encodeRung(above, Ladder.contentType(hasAlpha, format), hasAlpha, jpeg));
  }
  return { smallest: above, encoded: await Promise.all(encoding) };
}

async function resized(from: RawPicture, { width, height }: Size): Promise<RawPicture> {
  if (width === from.width && height === from.height) return from;
  const sharp = await loadSharp();
  return toRaw(openRaw(sharp, from).resize({ width, height, fit: "fill" }));
}

async function encodeRung(
  from: RawPicture,
  contentType: string,
  hasAlpha: boolean,
  jpeg: JpegOptions,
) {
  const sharp = await loadSharp();
  const picture = hasAlpha ? openRaw(sharp, from) : openRaw(sharp, from).flatten();
  const encoded =
    contentType === "image/png" ? picture.png({ compressionLevel: 6 }) : picture.jpeg(jpeg);
  return { width: from.width, height: from.height, contentType, data: await encoded.toBuffer() };
}

async function makePlaceholder(from: RawPicture) {
  const sharp = await loadSharp();
  const size = fitInto(from, Placeholder.EDGE);
  const { data } = await toRaw(
    openRaw(sharp, from)
      .resize({ ...size, fit: "fill" })
      .toColourspace("srgb")
      .ensureAlpha(),
  );
  return Placeholder.placeholder(data, size);
}

function fitInto({ width, height }: Size, edge: number): Size {
  const by = Math.min(1, edge / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * by)),
    height: Math.max(1, Math.round(height * by)),
  };
}

function isOpaque({ data, channels }: RawPicture): boolean {
  if (channels === 3 || channels === 1) return true;
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== 255) return false;
  return true;
}
