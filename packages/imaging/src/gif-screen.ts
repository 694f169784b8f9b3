import type { Size } from "./layout.ts";
import { type ImageBytes, readAll, readPart, sizeOf } from "./image-bytes.ts";

// libvips shows a GIF as a browser does, with two exceptions. Without a transparent colour in the file it has no alpha channel,
// and what no frame covers is black. And it takes the frames' size for that of some logical screens (640 × 480 and others).

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const GRAPHIC_CONTROL = 0xf9;

/** Bytes for the decoder, and the page of theirs that is the image's first. */
export type Pages = { bytes: ImageBytes; firstPage: 0 | 1 };

/** A larger GIF is not read into memory; it is shown as libvips shows it. */
const MAX_BYTES = 64 * 2 ** 20;

/** The image, with a first page of one transparent pixel in the last corner if it is a GIF that otherwise would be black or small where it is see-through. */
export async function withTransparentScreen(image: ImageBytes): Promise<Pages> {
  const start = await readPart(image, 0, SCREEN_BYTES);
  const isGif = start.length === SCREEN_BYTES && start.toString("latin1", 0, 4) === "GIF8";
  if (!isGif || (await sizeOf(image)) > MAX_BYTES) return { bytes: image, firstPage: 0 };
  const bytes = await readAll(image);
  const canvas = uncoveredCanvas(bytes);
  if (!canvas) return { bytes: image, firstPage: 0 };
  const at = afterPalette(bytes);
  return {
    bytes: Buffer.concat([bytes.subarray(0, at), transparentPixel(canvas), bytes.subarray(at)]),
    firstPage: 1,
  };
}

const SCREEN_BYTES = 13;
const FRAME_BYTES = 10;

const paletteLength = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
const afterPalette = (bytes: Buffer) => SCREEN_BYTES + paletteLength(bytes[10]!);

/** The size of the logical screen, which browsers and libvips enlarge for the first frame, if a part of it is or may become free. */
function uncoveredCanvas(bytes: Buffer): Size | undefined {
  const screen = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  let canvas: Size | undefined;
  let removesFrames = false;
  let at = afterPalette(bytes);
  const skipBlocks = () => {
    while (at < bytes.length && bytes[at] !== 0) at += bytes[at]! + 1;
    at += 1;
  };
  while (at + FRAME_BYTES <= bytes.length && !(canvas && removesFrames)) {
    const kind = bytes[at];
    if (kind === EXTENSION) {
      // 2 and 3: what was there before comes back, which before the first frame is nothing
      if (bytes[at + 1] === GRAPHIC_CONTROL) removesFrames ||= ((bytes[at + 3]! >> 2) & 7) >= 2;
      at += 2;
    } else if (kind === IMAGE) {
      if (!canvas) {
        const first = frameAt(bytes, at);
        canvas = {
          width: Math.max(screen.width, first.left + first.width),
          height: Math.max(screen.height, first.top + first.height),
        };
        if (first.width < canvas.width || first.height < canvas.height) return canvas;
      }
      // the descriptor, its palette and the size of the codes
      at += FRAME_BYTES + paletteLength(bytes[at + 9]!) + 1;
    } else break;
    skipBlocks();
  }
  return removesFrames ? canvas : undefined;
}

const frameAt = (bytes: Buffer, at: number) => ({
  left: bytes.readUInt16LE(at + 1),
  top: bytes.readUInt16LE(at + 3),
  width: bytes.readUInt16LE(at + 5),
  height: bytes.readUInt16LE(at + 7),
});

function transparentPixel({ width, height }: Size): Buffer {
  const pixel = Buffer.from(
    // transparent is index 0; the frame stays, has a palette of two colours, and one pixel
    "21f9040500000000" + "2c0000000001000100" + "80" + "000000000000" + "0202440100",
    "hex",
  );
  pixel.writeUInt16LE(width - 1, 9);
  pixel.writeUInt16LE(height - 1, 11);
  return pixel;
}
