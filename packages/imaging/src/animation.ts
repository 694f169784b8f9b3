import { availableParallelism } from "node:os";

import { type Picture, loadSharp } from "./load-sharp.ts";
import * as Limits from "./limits.ts";
import { type RawPicture, openRaw, toRaw } from "./raw-picture.ts";
import { Refusal } from "./refusal.ts";

// libvips keeps the frames of an animation as one tall picture. Scaling, sharpening and blurring it would mix the last rows of a
// frame with the first rows of the next, so frames are separated first.

/** Milliseconds of each frame, and how often all are shown; 0 is for ever. */
export type Timing = { delay: number[]; loop: number };

/** The animation with `change` applied to each frame as if it were alone, ready to be encoded. */
export async function changeFrames(
  animation: Picture,
  change: (frame: Picture) => Picture | Promise<Picture>,
): Promise<Picture> {
  const sharp = await loadSharp();
  const { data, width, height, channels, pages = 1 } = await toRaw(animation);
  const frameHeight = height / pages;
  const bytes = width * frameHeight * channels;
  const changed: RawPicture[] = [];
  const deadline = performance.now() + Limits.RENDER_SECONDS * 1000;
  const together = availableParallelism();
  for (let page = 0; page < pages; page += together) {
    if (performance.now() > deadline) throw takesTooLong();
    const some = Array.from({ length: Math.min(together, pages - page) }, async (_, index) => {
      const frame = data.subarray((page + index) * bytes, (page + index + 1) * bytes);
      const changing = change(
        openRaw(sharp, { data: frame, width, height: frameHeight, channels }),
      );
      return toRaw(await changing);
    });
    changed.push(...(await Promise.all(some)));
  }
  const [first] = changed;
  if (!first) throw new Error("BUG: an animation without frames");
  return sharp(Buffer.concat(changed.map((frame) => frame.data)), {
    animated: true,
    limitInputPixels: false,
    raw: {
      width: first.width,
      height: first.height * pages,
      channels: first.channels,
      pageHeight: first.height,
    },
  });
}

const takesTooLong = () =>
  new Refusal(
    "unprocessable",
    "image.too_complex",
    "The image takes longer to decode than is allowed",
  );
