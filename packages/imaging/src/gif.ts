import { Refusal } from "./refusal.ts";

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
const BLOCKS: (number | undefined)[] = [EXTENSION, IMAGE, TRAILER];
const GRAPHIC_CONTROL = 0xf9;
const APPLICATION = 0xff;
/** The two application extensions with the number of loops; all others (XMP, ICC, editors' data) are dropped. */
const LOOPS = new Set(["NETSCAPE2.0", "ANIMEXTS1.0"]);

/** A larger GIF is left to libvips: it would hardly fit the limit on pixels, and is not read into memory. */
export const MAX_CHECKED_BYTES = 100 * 2 ** 20;

/**
 * The GIF without comments, application data and bytes after its end; pixels and timing stay unchanged. Encoding it again would
 * cost seconds (24 frames: 2.9 s) and make it larger. As in a browser, it ends with its last whole frame, whatever follows that. Blocks: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
 *
 * @throws image.truncated or image.damaged
 */
export function strip(bytes: Buffer): Buffer {
  const kept: Buffer[] = [];
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length)
      throw new Refusal("unprocessable", "image.truncated", "The GIF ends before it is complete");
    return bytes.subarray(at, (at += length));
  };
  const takeBlocks = () => {
    const from = at;
    for (let length = take(1)[0]; length; length = take(1)[0]) take(length);
    return bytes.subarray(from, at);
  };
  const takePalette = (flags: number) =>
    flags & 0x80 ? take(3 << ((flags & 7) + 1)) : Buffer.alloc(0);

  const screen = take(13);
  kept.push(screen, takePalette(screen[10] ?? 0));
  let hasFrame = false;
  for (;;) {
    const isOver = hasFrame && !BLOCKS.includes(bytes[at]);
    const kind = isOver ? TRAILER : take(1)[0];
    if (kind === TRAILER) return Buffer.concat([...kept, Buffer.of(TRAILER)]);
    if (kind === IMAGE) {
      const descriptor = take(9);
      kept.push(
        Buffer.of(IMAGE),
        descriptor,
        takePalette(descriptor[8] ?? 0),
        take(1),
        takeBlocks(),
      );
      hasFrame = true;
    } else if (kind === EXTENSION) {
      const label = take(1)[0] ?? 0;
      const blocks = takeBlocks();
      const loops = label === APPLICATION && LOOPS.has(blocks.toString("latin1", 1, 12));
      if (label === GRAPHIC_CONTROL || loops) kept.push(Buffer.of(EXTENSION, label), blocks);
    } else
      throw new Refusal("unprocessable", "image.damaged", "The GIF has a block of no known kind");
  }
}
