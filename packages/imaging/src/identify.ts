import { decodable } from "./decodable.ts";
import * as ExifCredit from "./exif-credit.ts";
import { withTransparentScreen } from "./gif-screen.ts";
import { type InputColour, inputColour } from "./input-colour.ts";
import type * as DecodeHeif from "./heif/decode-heif.ts";
import { type Metadata, loadSharp, loadSharpForSvg } from "./load-sharp.ts";
import * as Format from "./format.ts";
import * as IptcCredit from "./iptc-credit.ts";
import * as XmpCredit from "./xmp-credit.ts";
import * as ImageBytes from "./image-bytes.ts";
import * as Jpeg from "./jpeg.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { otherFormat } from "./other-formats.ts";
import { Refusal, refuseBadInput } from "./refusal.ts";
import { isUnfinishedPrologue, sniff } from "./sniff.ts";
import * as Svg from "./svg.ts";
import * as SvgRaster from "./svg-raster.ts";
import * as TiffPages from "./tiff-pages.ts";

/** The header of an image, returned only after the limits were checked. */
export type Header = {
  format: Format.Input;
  contentType: string;
  /** In pixels, after the EXIF orientation is applied; of one frame. */
  width: number;
  height: number;
  pages: number;
  /** Whether the file has an alpha channel; it may still be opaque everywhere. */
  hasAlphaChannel: boolean;
  colour: InputColour;
  /** A JPEG without the marker of its end, of which pixels may be missing. */
  lacksEnd: boolean;
  /** Of drawing an SVG at its own size, in units of svg-cost.ts. */
  cost?: number;
  credit: ExifCredit.Credit;
};

/** What `sniff` and the header of a GIF need. */
const START_BYTES = 4096;

/**
 * The header of an image. No pixel is decoded, so a decompression bomb costs a millisecond.
 *
 * @throws Refusal (image.empty, image.not_a_picture, image.heif_codec, image.too_many_pixels …) for bytes that are no image, that
 * cannot be decoded here, or that exceed the limits
 */
export async function identify(image: ImageBytes.ImageBytes): Promise<Header> {
  const size = await ImageBytes.sizeOf(image);
  if (size === 0) throw new Refusal("invalid", "image.empty", "The image has no bytes");
  if (size > Limits.MAX_INPUT_BYTES) throw tooManyBytes(size);
  const start = await readStart(image);
  const other = otherFormat(start);
  if (other) throw otherThanAccepted(`a picture in the format ${other}`);
  const sniffed = sniff(start);
  if (!sniffed)
    throw new Refusal(
      "unsupported",
      "image.not_a_picture",
      "These bytes are not an image in a known format (JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or SVG)",
    );
  if (sniffed === "tiff" && (await TiffPages.read(image)).some(({ isRaw }) => isRaw))
    throw otherThanAccepted("camera raw data (as in a DNG)");
  if (sniffed === "svg" && size > Limits.MAX_SVG_BYTES) throw Svg.tooManyBytes(size);
  // from a file, librsvg would follow links to files beside it
  const svg = sniffed === "svg" ? await ImageBytes.readAll(image) : undefined;
  const svgCost = svg && (await Svg.check(svg));
  const bytes = await decodable(svg ?? image);

  const readable = await withTransparentScreen(bytes);
  const { format, metadata } = await readMetadata(
    readable.bytes,
    hasHevc(start) ? "heic" : sniffed,
  );
  const pages = Format.hasFrames(format) ? (metadata.pages ?? 1) - readable.firstPage : 1;
  const { width, height } = pages > 1 ? metadata : metadata.autoOrient;
  checkLimits(format, {
    ...largest(format, start, { width, height }),
    pages,
    profileBytes: metadata.icc?.length ?? 0,
  });
  const lacksEnd =
    metadata.isProgressive || format === "jpeg"
      ? (await checkEffort(image, size, { ...metadata, format })).lacksEnd
      : false;
  checkSamples(metadata);
  const cost = svgCost?.((width * height) / 1e6);

  return {
    format,
    contentType: Format.contentType(format),
    width,
    height,
    pages,
    hasAlphaChannel: metadata.hasAlpha,
    colour: inputColour(metadata),
    lacksEnd,
    ...(cost !== undefined && { cost }),
    // libvips returns no EXIF of a TIFF; the file itself has EXIF's structure
    credit: {
      ...IptcCredit.read(metadata.iptc),
      ...(await XmpCredit.read(metadata.xmp)),
      ...(await ExifCredit.read(format === "tiff" ? bytes : metadata.exif)),
    },
  };
}

/** What `sniff` needs: of text, which may be an SVG behind a long comment, as much as an SVG may have. */
async function readStart(image: ImageBytes.ImageBytes): Promise<Buffer> {
  const start = await ImageBytes.readPart(image, 0, START_BYTES);
  return isUnfinishedPrologue(start) ? ImageBytes.readPart(image, 0, Limits.MAX_SVG_BYTES) : start;
}

/**
 * Checks the first bytes of an image of `size` bytes.
 *
 * @throws Refusal as `identify` does, where the first bytes are enough to be certain
 */
export async function precheck(head: Buffer, size: number): Promise<void> {
  if (size > Limits.MAX_INPUT_BYTES) throw tooManyBytes(size);
  if (sniff(head) === "svg" && size > Limits.MAX_SVG_BYTES) throw Svg.tooManyBytes(size);
  try {
    await identify(head);
  } catch (error) {
    const isCertain =
      head.length >= size ||
      !(error instanceof Refusal) ||
      !(UNSURE.has(error.code) || isUnfinishedPrologue(head));
    if (isCertain) throw error;
  }
}

/** Codes that the missing rest of the file would cause too. */
const UNSURE = new Set(["image.truncated", "image.damaged"]);

/** libvips reports the size of a GIF's frames; a browser that shows the named copy allocates its whole logical screen. */
const largest = (format: Format.Input, bytes: Buffer, { width, height }: Size): Size =>
  format === "gif"
    ? {
        width: Math.max(width, bytes.readUInt16LE(6)),
        height: Math.max(height, bytes.readUInt16LE(8)),
      }
    : { width, height };

function checkLimits(
  format: Format.Input,
  {
    width,
    height,
    pages,
    profileBytes,
  }: { width: number; height: number; pages: number; profileBytes: number },
) {
  if (!(width > 0 && height > 0))
    throw new Refusal("unprocessable", "image.damaged", "The image has no width or no height");
  if (Math.max(width, height) > Limits.MAX_SIDE) {
    throw new Refusal(
      "unprocessable",
      "image.side_too_long",
      `The image is ${width} × ${height}; no side may be longer than ${Limits.MAX_SIDE} pixels`,
    );
  }
  if (pages > Limits.MAX_FRAMES)
    throw new Refusal(
      "unprocessable",
      "image.too_many_frames",
      `The image has ${pages} frames; at most ${Limits.MAX_FRAMES} are accepted`,
    );
  const most =
    pages > 1
      ? Math.min(Limits.MAX_PIXELS[format], Limits.MAX_ANIMATION_PIXELS)
      : Limits.MAX_PIXELS[format];
  const pixels = width * height * pages;
  if (pixels > most) {
    const what = pages > 1 ? `${pages} frames of ${width} × ${height}` : `${width} × ${height}`;
    throw new Refusal(
      "unprocessable",
      "image.too_many_pixels",
      `The image has ${what} = ${megapixels(pixels)} megapixels; at most ${megapixels(most)} are accepted for ${format}`,
    );
  }
  if (profileBytes > Limits.MAX_PROFILE_BYTES)
    throw new Refusal(
      "unprocessable",
      "image.profile_too_large",
      `The colour profile has ${profileBytes} bytes; at most ${Limits.MAX_PROFILE_BYTES} are accepted`,
    );
}

/** Checks images that are decoded whole before the first pixel is returned, or that cost far more than their bytes suggest. */
async function checkEffort(
  image: ImageBytes.ImageBytes,
  size: number,
  { format, width, height, isProgressive }: HeaderMetadata & { format: Format.Input },
): Promise<{ lacksEnd: boolean }> {
  const pixels = width * height;
  if (format === "png" && isProgressive && pixels > Limits.MAX_INTERLACED_PIXELS)
    throw new Refusal(
      "unprocessable",
      "image.too_many_pixels",
      `The image has ${width} × ${height} = ${megapixels(pixels)} megapixels; at most ${megapixels(Limits.MAX_INTERLACED_PIXELS)} are accepted when it is interlaced`,
    );
  if (format !== "jpeg") return { lacksEnd: false };
  if (pixels > size * Limits.MAX_JPEG_PIXELS_PER_BYTE)
    throw new Refusal(
      "unprocessable",
      "image.truncated",
      `The image has ${size} bytes, too few for ${width} × ${height} pixels`,
    );
  const { scans, hasEnd } = await Jpeg.readScans(image);
  if (scans * pixels > Limits.MAX_SCANNED_PIXELS)
    throw new Refusal(
      "unprocessable",
      "image.too_complex",
      `The image has ${scans} scans of ${megapixels(pixels)} megapixels; at most ${megapixels(Limits.MAX_SCANNED_PIXELS)} megapixels are accepted in all scans`,
    );
  return { lacksEnd: !hasEnd };
}

/** What sharp reads of a header, as far as it is used here and can be read of a HEIF. */
type HeaderMetadata = DecodeHeif.Metadata &
  Partial<Pick<Metadata, "pages" | "isProgressive" | "iptc">>;

/** The header, and the format by the codec: brands of AVIF and HEIF do not say which one the image has. */
async function readMetadata(
  image: ImageBytes.ImageBytes,
  format: Format.Input,
): Promise<{ format: Format.Input; metadata: HeaderMetadata }> {
  if (format === "heic") {
    const metadata = await readHeif(image);
    // sharp decodes AV1 with any brand
    return { format: metadata.compression === "av1" ? "avif" : format, metadata };
  }
  const isSvg = format === "svg";
  const sharp = isSvg ? await loadSharpForSvg() : await loadSharp();
  const metadata = await refuseBadInput(() =>
    sharp(image, {
      limitInputPixels: false,
      ...(isSvg && { density: SvgRaster.DENSITY }),
    }).metadata(),
  );
  if (!isSvg) return { format, metadata };
  const width = SvgRaster.toCssPixels(metadata.width);
  const height = SvgRaster.toCssPixels(metadata.height);
  return { format, metadata: { ...metadata, autoOrient: { width, height } } };
}

/** Whether a file with the brand AVIF begins with the configuration of HEVC; the decoder of HEIF then reads what it really is. */
const hasHevc = (start: Buffer): boolean =>
  sniff(start) === "avif" && start.includes("hvcC") && !start.includes("av1C");

/** The decoder is loaded for a HEIF only. */
const readHeif = async (image: ImageBytes.ImageBytes): Promise<DecodeHeif.Metadata> =>
  (await import("./heif/decode-heif.ts")).readMetadata(image);

const otherThanAccepted = (what: string) =>
  new Refusal(
    "unsupported",
    "image.unsupported",
    `This is ${what}, which is not accepted; send JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or SVG`,
  );

/** libvips would take the lowest byte of wide or signed integers for a colour, and gray numbers from 0 to 1 for black. */
function checkSamples({ depth, space }: HeaderMetadata) {
  if (depth === "uchar" || depth === "ushort" || FLOATING_POINT_SPACES.has(space)) return;
  throw otherThanAccepted(`an image with samples of the type ${depth} in ${space}`);
}

/** Colour spaces whose numbers libvips reads as floating point and converts correctly. */
const FLOATING_POINT_SPACES = new Set<Metadata["space"]>(["scrgb", "lab"]);

const tooManyBytes = (size: number) =>
  new Refusal(
    "too_large",
    "image.too_many_bytes",
    `The image has ${size} bytes; at most ${Limits.MAX_INPUT_BYTES} are accepted`,
  );

const megapixels = (pixels: number) => Math.round(pixels / 1e4) / 100;
