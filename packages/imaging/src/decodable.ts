import * as AvifSequence from "./avif-sequence.ts";
import * as AvifColour from "./avif-colour.ts";
import * as CicpProfile from "./heif/cicp-profile.ts";
import * as ImageBytes from "./image-bytes.ts";
import * as Jpeg from "./jpeg.ts";
import * as PngColour from "./png-colour.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { loadSharp } from "./load-sharp.ts";
import { Refusal } from "./refusal.ts";
import { sniff, svgRoot } from "./sniff.ts";
import * as TiffPages from "./tiff-pages.ts";

/** More than `sniff` reads of an original that is no SVG. */
const START_BYTES = 4096;

/**
 * The original in a form that libvips decodes as its format says: a JPEG with the end that it may lack, an AVIF
 * sequence with the brand of its still image, a TIFF with the image instead of its thumbnail at the front, an AVIF or
 * PNG with a colour profile for the numbers that name its colours. Most originals are returned as they are.
 */
export async function decodable(image: ImageBytes.ImageBytes): Promise<ImageBytes.ImageBytes> {
  switch (sniff(await ImageBytes.readPart(image, 0, START_BYTES))) {
    case "jpeg":
      return withEnd(image);
    case "avis":
      return withAvifColour(await AvifSequence.asStill(image));
    case "tiff":
      return withImageFirst(image);
    case "avif":
    // brands of HEIF do not say which codec the image has
    case "heic":
      return withAvifColour(image);
    case "png":
      return withPngColour(image);
    case "svg":
      return withPlainRoot(await ImageBytes.readAll(image));
    default:
      return image;
  }
}

/** Browsers show a JPEG without the marker of its end. libvips refuses it. */
async function withEnd(image: ImageBytes.ImageBytes): Promise<ImageBytes.ImageBytes> {
  const size = await ImageBytes.sizeOf(image);
  const end = await ImageBytes.readPart(image, size - Jpeg.END_MARKER.length, size);
  if (end.equals(Jpeg.END_MARKER)) return image;
  return Buffer.concat([await ImageBytes.readAll(image), Jpeg.END_MARKER]);
}

/**
 * Checks a JPEG without the marker of its end: that no pixel is missing. Data that an incomplete picture still waits for
 * changes its pixels, and a whole picture has no use for it. libvips' warnings would not do: it does not see those of the last rows.
 *
 * @throws image.truncated
 */
export async function checkIsWhole(
  image: ImageBytes.ImageBytes,
  { width, height }: Size,
): Promise<void> {
  const isLarge =
    width * height > Limits.MAX_ENDLESS_JPEG_PIXELS ||
    (await ImageBytes.sizeOf(image)) > Limits.MAX_ENDLESS_JPEG_BYTES;
  if (isLarge)
    throw new Refusal(
      "unprocessable",
      "image.truncated",
      "The JPEG has no marker of its end, which is accepted of small files only",
    );
  const bytes = await ImageBytes.readAll(image);
  const more = Buffer.alloc(4096, 0x55);
  try {
    const asItIs = await pixelHash(Buffer.concat([bytes, Jpeg.END_MARKER]));
    const withMore = await pixelHash(Buffer.concat([bytes, more, Jpeg.END_MARKER]));
    if (asItIs === withMore) return;
  } catch (error) {
    if (!(error instanceof Error) || /timeout/i.test(error.message)) throw error;
    // what an incomplete picture reads instead of its data may be no code
    throw endsEarly(error);
  }
  throw endsEarly();
}

const endsEarly = (cause?: Error) =>
  new Refusal("unprocessable", "image.truncated", "The JPEG ends before it is complete", { cause });

async function pixelHash(jpeg: Buffer): Promise<string> {
  const sharp = await loadSharp();
  const pixels = await sharp(jpeg, {
    failOn: "error",
    limitInputPixels: Limits.MAX_PIXELS.jpeg,
    sequentialRead: true,
  })
    .timeout({ seconds: Limits.PREPARE_SECONDS })
    .raw()
    .toBuffer();
  return ImageBytes.sha256(pixels);
}

async function withImageFirst(image: ImageBytes.ImageBytes): Promise<ImageBytes.ImageBytes> {
  const pages = await TiffPages.read(image);
  const main = TiffPages.main(pages);
  if (!main || main === pages[0]) return image;
  const bytes = Buffer.from(await ImageBytes.readAll(image));
  bytes.set(TiffPages.headerWithFirst(bytes.subarray(0, 16), main));
  return bytes;
}

/** libvips knows an SVG by the text `<svg`, which is not in one whose elements have a prefix: a comment before its root has that text. What comes before the root, such as a document type, has no effect on the drawing. */
function withPlainRoot(bytes: Buffer): Buffer {
  const { root, name } = svgRoot(bytes);
  return name === "svg" ? bytes : Buffer.from(`<!--<svg -->${root}`);
}

/** libvips follows profiles only. Of limited values, its AVIF decoder expands those with chroma, and not those of a monochrome image. */
async function withAvifColour(image: ImageBytes.ImageBytes): Promise<ImageBytes.ImageBytes> {
  const colour = await AvifColour.read(image);
  if (!colour) return image;
  const isUnexpanded = colour.isLimited && colour.isMonochrome;
  const profile = CicpProfile.create(colour, isUnexpanded ? limitedRange(colour.bits) : undefined);
  return profile ? AvifColour.withProfile(await ImageBytes.readAll(image), profile) : image;
}

async function withPngColour(image: ImageBytes.ImageBytes): Promise<ImageBytes.ImageBytes> {
  const colour = await PngColour.read(image);
  if (!colour) return image;
  const profile = CicpProfile.create(
    colour,
    colour.isLimited ? limitedRange(colour.bits) : undefined,
  );
  return PngColour.withProfile(image, profile);
}

/** Black and white of a video's values: 16 and 235 of 255, and as many times that as there are more values. */
const limitedRange = (bits: number): CicpProfile.Range => {
  const [step, most] = [2 ** (bits - 8), 2 ** bits - 1];
  return { black: (16 * step) / most, white: (235 * step) / most };
};
