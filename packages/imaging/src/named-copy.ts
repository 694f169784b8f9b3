import { changeFrames } from "./animation.ts";
import { toSrgb } from "./input-colour.ts";
import { type Picture, loadSharp } from "./load-sharp.ts";
import type { Input } from "./format.ts";
import * as Gif from "./gif.ts";
import type { Header } from "./identify.ts";
import * as ImageBytes from "./image-bytes.ts";
import * as Jpeg from "./jpeg.ts";
import * as Limits from "./limits.ts";
import { open } from "./steps/decode.ts";
import type { RawPicture } from "./raw-picture.ts";
import { Refusal } from "./refusal.ts";

export type NamedCopy = { data: Buffer; contentType: string };

/**
 * The copy of an image that `GET /s3` serves: no metadata, upright, sRGB, in a format near its own, and small enough for the
 * gateway.
 *
 * @throws image.too_complex if it cannot be made small enough
 */
export async function makeNamedCopy(
  image: ImageBytes.ImageBytes,
  header: Header,
  pixels: RawPicture,
  hasAlpha: boolean,
): Promise<NamedCopy> {
  const format = copyFormat(header.format, hasAlpha);
  if (header.format === "gif") {
    const data = await stripGif(image);
    if (data && data.length <= Limits.MAX_NAMED_COPY_BYTES)
      return { data, contentType: "image/gif" };
    return encodeToFit("webp", 1, (scale) => openAnimation(image, header, scale));
  }
  if (header.pages > 1 && format === "webp")
    return encodeToFit("webp", 1, (scale) => openAnimation(image, header, scale));

  const sharp = await loadSharp();
  const { data, width, height, channels } = pixels;
  const raw = { width, height, channels };
  const open = (scale: number) =>
    sharp(data, { raw }).resize({
      width: Math.max(1, Math.round(raw.width * scale)),
      height: Math.max(1, Math.round(raw.height * scale)),
      fit: "fill",
    });
  const most = Math.min(90, header.format === "jpeg" ? await Jpeg.quality(image) : 90);
  const copy = await encodeToFit(format, 1, open, most);
  // a drawing has fewer bytes than its pixels
  if (header.format === "svg") return copy;
  return notLarger(copy, await ImageBytes.sizeOf(image), () => open(1), most);
}

/** The copy, or a smaller one where it has more bytes than the original: of lower quality, and of a PNG, packed better, or as a lossless WebP. The smallest one where none is small enough. */
async function notLarger(
  copy: NamedCopy,
  size: number,
  open: () => Picture,
  most: number,
): Promise<NamedCopy> {
  const lossy = (format: "jpeg" | "webp") =>
    [0.9, 0.8, 0.7, 0.6, 0.5, 0.4].map(
      (part) => () => encode(open(), format, Math.round(most * part)),
    );
  const ways: Record<string, (() => Picture)[]> = {
    "image/jpeg": lossy("jpeg"),
    "image/webp": lossy("webp"),
    "image/png": [
      () => open().png({ compressionLevel: 9, adaptiveFiltering: true }),
      () => open().webp({ lossless: true, effort: 4 }),
    ],
  };
  let smallest = copy;
  for (const way of ways[copy.contentType] ?? []) {
    if (smallest.data.length <= size) break;
    const { data, info } = await way()
      .timeout({ seconds: Limits.PREPARE_SECONDS })
      .toBuffer({ resolveWithObject: true });
    if (data.length < smallest.data.length)
      smallest = { data, contentType: `image/${info.format}` };
  }
  return smallest;
}

type CopyFormat = "jpeg" | "png" | "webp";

/** Formats that browsers do not show, and SVG, which is never passed on, are converted. */
function copyFormat(format: Input, hasAlpha: boolean): CopyFormat {
  if (format === "webp" || format === "avif" || format === "gif") return "webp";
  if (format === "png" || format === "svg") return "png";
  return hasAlpha ? "png" : "jpeg";
}

/** Reduces first quality, then size, until the gateway can carry the copy. Bytes grow with the area, so each step aims a little below the limit. */
async function encodeToFit(
  format: CopyFormat,
  scale: number,
  open: (scale: number) => Promise<Picture> | Picture,
  most = 90,
): Promise<NamedCopy> {
  for (const quality of format === "png" ? [100] : [most, most - 5]) {
    const picture = await open(scale);
    const data = await encode(picture, format, quality)
      .timeout({ seconds: Limits.PREPARE_SECONDS })
      .toBuffer();
    if (data.length <= Limits.MAX_NAMED_COPY_BYTES) return { data, contentType: `image/${format}` };
    if (quality === most) continue;
    const next = scale * Math.min(0.9, 0.95 * Math.sqrt(Limits.MAX_NAMED_COPY_BYTES / data.length));
    if (next > 0.01) return encodeToFit(format, next, open, most);
  }
  throw new Refusal(
    "unprocessable",
    "image.too_complex",
    "The image cannot be made small enough for its named copy",
  );
}

function encode(picture: Picture, format: CopyFormat, quality: number): Picture {
  if (format === "jpeg") return picture.jpeg({ quality });
  return format === "png"
    ? picture.png({ compressionLevel: 6 })
    : picture.webp({ quality, effort: 2 });
}

/** undefined for a GIF that would hardly be small enough afterwards: it is not read into memory. */
async function stripGif(image: ImageBytes.ImageBytes): Promise<Buffer | undefined> {
  if ((await ImageBytes.sizeOf(image)) > 2 * Limits.MAX_NAMED_COPY_BYTES) return undefined;
  return Gif.strip(await ImageBytes.readAll(image));
}

async function openAnimation(
  image: ImageBytes.ImageBytes,
  header: Header,
  scale: number,
): Promise<Picture> {
  const sharp = await loadSharp();
  const { delay = [], loop = 0 } = await sharp(image, { limitInputPixels: false }).metadata();
  const width = Math.max(1, Math.round(header.width * scale));
  const height = Math.max(1, Math.round(header.height * scale));
  const frames = await changeFrames(
    toSrgb(await open(image, { frames: "all" }), header.colour),
    (frame) => frame.resize({ width, height, fit: "fill" }),
  );
  return frames.webp({ delay, loop });
}
