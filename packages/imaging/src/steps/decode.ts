import type { ImageBytes } from "../image-bytes.ts";
import { withTransparentScreen } from "../gif-screen.ts";
import { type Picture, loadSharp } from "../load-sharp.ts";
import * as Limits from "../limits.ts";
import type { Plan } from "../plan.ts";

/** The image before the first step. `error` refuses images that end early and accepts harmless warnings of old cameras. */
export async function open(image: ImageBytes, { frames }: Pick<Plan, "frames">): Promise<Picture> {
  const isAnimated = frames === "all";
  const sharp = await loadSharp();
  const input = await withTransparentScreen(image);
  return sharp(input.bytes, {
    failOn: "error",
    limitInputPixels: isAnimated
      ? Limits.MAX_ANIMATION_PIXELS
      : Math.max(...Object.values(Limits.MAX_PIXELS)),
    sequentialRead: true,
    page: input.firstPage,
    pages: isAnimated ? -1 : 1,
  }).timeout({ seconds: Limits.RENDER_SECONDS });
}
