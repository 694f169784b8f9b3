import { decodable } from "./decodable.ts";
import * as DisplayP3 from "./display-p3.ts";
import { type Picture, loadSharp } from "./load-sharp.ts";
import { formats } from "./format.ts";
import { sniff } from "./sniff.ts";
import type { Size } from "./layout.ts";
import { type ImageBytes, readPart } from "./image-bytes.ts";
import * as Limits from "./limits.ts";
import { pipeline } from "./pipeline.ts";
import { type Plan, planTrimmed } from "./plan.ts";
import { refuseBadInput } from "./refusal.ts";
import { decode } from "./steps/decode.ts";
import { rotateAndFlip } from "./steps/rotate-and-flip.ts";
import * as Trim from "./trim.ts";

export type Rendered = Size & { data: Buffer; contentType: string };

/**
 * The picture that the plan describes, made from the original, or from a rung if `from` is that rung's size in
 * pixels. The result has exactly the planned size.
 *
 * @throws image.damaged, image.truncated or image.too_complex if the bytes cannot be decoded
 */
export async function render(
  image: ImageBytes,
  plan: Plan,
  from: Size = plan.source,
): Promise<Rendered> {
  return refuseBadInput(async () => {
    const { picture, final } = await openPipeline(image, plan, from);
    const data = await picture.toBuffer();
    return {
      data,
      contentType: formats[final.encoding.format].contentType,
      width: final.width,
      height: final.height,
    };
  });
}

/**
 * Writes the picture into a file, which grows while it is encoded if the encoding is `byRows`. After an error the file is not
 * a picture.
 *
 * @throws as `render` does
 */
export async function renderInto(
  file: string,
  image: ImageBytes,
  plan: Plan,
  from: Size = plan.source,
): Promise<void> {
  await refuseBadInput(async () => {
    const { picture } = await openPipeline(image, plan, from);
    await picture.toFile(file);
  });
}

/** The whole pipeline set up; libvips computes nothing before it is written. */
async function openPipeline(given: ImageBytes, plan: Plan, from: Size) {
  const image = isOriginal(from, plan) ? await decodable(given) : given;
  const input = { ...from, isProcessedInP3: await isProcessedInP3(image, from, plan) };
  const final = plan.trim ? planTrimmed(plan, await Trim.find(image, plan)) : plan;
  const sharp = await loadSharp();
  const limit = { seconds: Limits.RENDER_SECONDS };
  let picture = sharp(image, decode(final)).timeout(limit);
  for (const step of pipeline) {
    if (step === rotateAndFlip && isCroppedBeforeRotation(final))
      picture = (await toIntermediate(sharp, picture)).timeout(limit);
    picture = step(picture, final, input);
  }
  return { picture, final };
}

/** More than `sniff` reads of an original, which is no SVG here. */
const START_BYTES = 4096;

/** Reads the header (half a millisecond) of formats that can have 16 bits; a rung never has. */
async function isProcessedInP3(image: ImageBytes, from: Size, { source }: Plan): Promise<boolean> {
  if (!isOriginal(from, { source })) return false;
  const format = sniff(await readPart(image, 0, START_BYTES));
  if (format !== "png" && format !== "tiff" && format !== "avif") return false;
  const sharp = await loadSharp();
  return DisplayP3.isProcessedInP3(await sharp(image, { limitInputPixels: false }).metadata());
}

const isOriginal = (from: Size, { source }: Pick<Plan, "source">): boolean =>
  from.width === source.width && from.height === source.height;

/** With both in one pipeline libvips rotates the scaled picture and then looks for the interesting part in the wrong frame. */
const isCroppedBeforeRotation = ({ cut, turn }: Plan) => typeof cut === "string" && turn !== 0;

async function toIntermediate(
  sharp: Awaited<ReturnType<typeof loadSharp>>,
  picture: Picture,
): Promise<Picture> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels } });
}
