import type { ImageBytes } from "../image-bytes.ts";
import type { Metadata as SharpMetadata } from "../load-sharp.ts";
import * as Limits from "../limits.ts";
import { Refusal } from "../refusal.ts";
import * as CicpProfile from "./cicp-profile.ts";
import { type HeifFile, withFile } from "./heif-file.ts";
import * as Orientation from "./orientation.ts";
import * as RawTiff from "./raw-tiff.ts";
import * as Tiles from "./tiles.ts";

/** The properties of a HEIF as sharp names them for other formats. */
export type Metadata = Pick<
  SharpMetadata,
  | "width"
  | "height"
  | "autoOrient"
  | "hasAlpha"
  | "space"
  | "depth"
  | "hasProfile"
  | "compression"
  | "icc"
  | "exif"
  | "xmp"
>;

/**
 * The header of a HEIF. No pixel is decoded.
 *
 * @throws image.heif_codec if it is compressed with neither HEVC nor AV1, image.damaged, image.truncated, image.too_complex
 */
export const readMetadata = (image: ImageBytes): Promise<Metadata> =>
  withFile(image, (file) => {
    const { width, height, codedPixels, hasAlpha, icc, exif, xmp } = file;
    if (codedPixels > Limits.MAX_HEIF_CODED_PIXELS && width * height <= Limits.MAX_PIXELS.heic)
      throw new Refusal(
        "unprocessable",
        "image.too_complex",
        `The HEIF image shows ${width} × ${height} of ${codedPixels} coded pixels; at most ${Limits.MAX_HEIF_CODED_PIXELS} are accepted`,
      );
    const compression = compressionOf(file);
    const is16Bits = needs16Bits(file);
    return {
      width,
      height,
      autoOrient: { width, height },
      hasAlpha,
      space: is16Bits ? "rgb16" : "srgb",
      depth: is16Bits ? "ushort" : "uchar",
      hasProfile: profileOf(file) !== undefined,
      compression,
      ...(icc && { icc }),
      ...(exif && { exif }),
      ...(xmp && { xmp }),
    };
  });

/**
 * The image of a HEIF as an uncompressed TIFF with its colour profile, upright. Tiles are decoded one by one, so that a grid
 * needs little more memory than its result.
 *
 * @throws image.heif_codec, image.damaged, image.truncated, image.too_complex
 */
export const toTiff = (image: ImageBytes): Promise<Buffer> => withFile(image, decode);

function decode(file: HeifFile): Buffer {
  const { heif, memory, handle, track, hasAlpha, width, height } = file;
  const bytesPerSample = needs16Bits(file) ? 2 : 1;
  const profile = profileOf(file);
  const target = RawTiff.create({
    width,
    height,
    channels: hasAlpha ? 4 : 3,
    bytesPerSample,
    ...(profile && { profile }),
  });
  const options = decodingOptions(file);
  const chroma = chromaOf(hasAlpha, bytesPerSample);
  const tiles = handle === undefined ? undefined : Tiles.find(file, handle);
  if (handle !== undefined && tiles) {
    ignoreTransformations(file, options);
    for (const { column, row, orientation } of tiles) {
      const tile = memory.call((error, out) =>
        heif._heif_image_handle_decode_image_tile!(
          ...([error, handle, out, RGB, chroma, options, column, row] as const),
        ),
      );
      copyImage(file, tile, target, orientation);
      heif._heif_image_release!(tile);
    }
    return target.file;
  }
  const image = memory.call((error, out) =>
    handle === undefined
      ? heif._heif_track_decode_next_image!(error, track!, out, RGB, chroma, options)
      : heif._heif_decode_image!(error, handle, out, RGB, chroma, options),
  );
  copyImage(file, image, target, Orientation.none(width, height));
  return target.file;
}

/** Copies decoded pixels to their places, without those that lie outside of the picture. */
function copyImage(
  { heif, memory, bitDepth, handle }: HeifFile,
  image: number,
  target: RawTiff.RawTiff,
  { x, y, a, b, c, d }: Orientation.Orientation,
) {
  const { plane, rowBytes } = memory.planeOf(image, INTERLEAVED);
  const width = heif._heif_image_get_width!(image, INTERLEAVED);
  const height = heif._heif_image_get_height!(image, INTERLEAVED);
  const bits = heif._heif_image_get_bits_per_pixel_range!(image, INTERLEAVED);
  const isPremultiplied =
    handle !== undefined && heif._heif_image_handle_is_premultiplied_alpha!(handle) === 1;
  const pixel = target.channels * target.bytesPerSample;
  const { file, pixelsAt } = target;
  const isInside = (left: number, top: number) =>
    left >= 0 && top >= 0 && left < target.width && top < target.height;
  for (let row = 0; row < height; row++) {
    const decoded = memory.bytes(plane + row * rowBytes, width * pixel);
    const values = Buffer.from(decoded.buffer, decoded.byteOffset, decoded.length);
    if (target.bytesPerSample === 2) scaleTo16Bits(values, bits || bitDepth);
    if (isPremultiplied && target.channels === 4) unpremultiply(values, target.bytesPerSample);
    let left = x + b * row;
    let top = y + d * row;
    for (let column = 0; column < width; column++, left += a, top += c) {
      if (!isInside(left, top)) continue;
      const at = pixelsAt + (top * target.width + left) * pixel;
      // a whole row at once where it stays a row
      if (a === 1) {
        const length = Math.min(width - column, target.width - left) * pixel;
        values.copy(file, at, column * pixel, column * pixel + length);
        break;
      }
      for (let byte = 0; byte < pixel; byte++) file[at + byte] = values[column * pixel + byte]!;
    }
  }
}

function scaleTo16Bits(row: Buffer, bits: number) {
  for (let at = 0; at < row.length; at += 2) {
    const value = row.readUInt16LE(at);
    row.writeUInt16LE(((value << (16 - bits)) | (value >>> (2 * bits - 16))) & 0xffff, at);
  }
}

function unpremultiply(row: Buffer, bytesPerSample: number) {
  const most = bytesPerSample === 2 ? 0xffff : 0xff;
  const read = (at: number) => (bytesPerSample === 2 ? row.readUInt16LE(at) : row[at]!);
  const write = (value: number, at: number) =>
    bytesPerSample === 2 ? row.writeUInt16LE(value, at) : (row[at] = value);
  for (let at = 0; at < row.length; at += 4 * bytesPerSample) {
    const alpha = read(at + 3 * bytesPerSample);
    if (alpha === most || alpha === 0) continue;
    for (let channel = 0; channel < 3; channel++) {
      const place = at + channel * bytesPerSample;
      write(Math.min(most, Math.round((read(place) * most) / alpha)), place);
    }
  }
}

/** `heif_decoding_options` of libheif 1.23 (heif_decoding.h), by the offsets of its fields. */
function decodingOptions({ heif, memory }: HeifFile): number {
  const at = heif._heif_decoding_options_alloc!();
  const [version] = memory.bytes(at, 1);
  if (version !== 10) throw new Error(`BUG: libheif's decoding options have version ${version}`);
  // a damaged file is an error, not a picture with a gray part
  memory.view().setUint8(at + 21, 1);
  // cameras of Sony write a wrong range of values
  memory.view().setUint8(at + 68, 1);
  // the numbers of the file's own colour space, which the profile describes
  memory.view().setUint8(at + 69, 1);
  return at;
}

/** The pixels as they are coded, without `irot`, `imir` and `clap`. */
function ignoreTransformations({ memory }: HeifFile, options: number) {
  memory.view().setUint8(options + 1, 1);
}

const RGB = 1;
const INTERLEAVED = 10;

/** `heif_chroma`. */
const chromaOf = (hasAlpha: boolean, bytesPerSample: 1 | 2) =>
  bytesPerSample === 2 ? (hasAlpha ? 15 : 14) : hasAlpha ? 11 : 10;

/** PQ and HLG distribute their values so unevenly that 8 bits would show bands. */
const needs16Bits = ({ cicp, bitDepth }: HeifFile): boolean =>
  bitDepth > 8 && cicp !== undefined && CicpProfile.isHdr(cicp);

const profileOf = ({ icc, cicp }: HeifFile): Buffer | undefined =>
  icc ?? (cicp && CicpProfile.create(cicp));

function compressionOf({ codec }: HeifFile): "hevc" | "av1" {
  if (codec === "av01") return "av1";
  const other = OTHER_CODECS[codec];
  if (other)
    throw new Refusal(
      "unsupported",
      "image.heif_codec",
      `The HEIF image is compressed with ${other} (${codec}), which cannot be decoded here; HEVC and AV1 can`,
    );
  return "hevc";
}

/** Codecs that a HEIF can have, by the types of their items and samples; libheif's WebAssembly has none of them. */
const OTHER_CODECS: Record<string, string> = {
  avc1: "H.264",
  evc1: "EVC",
  j2k1: "JPEG 2000",
  jpeg: "JPEG",
  jpgC: "JPEG",
  mjpg: "JPEG",
  lhv1: "Layered HEVC",
  vvc1: "VVC",
  jxs1: "JPEG XS",
};
