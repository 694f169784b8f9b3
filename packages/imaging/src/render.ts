import { changeFrames } from "./animation.ts";
import { decodable } from "./decodable.ts";
import { inputColour } from "./input-colour.ts";
import { type Picture, loadSharp } from "./load-sharp.ts";
import { formats } from "./format.ts";
import { sniff } from "./sniff.ts";
import { type ImageBytes, readPart } from "./image-bytes.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { canvasSteps, imageSteps, outputSteps } from "./pipeline.ts";
import { type Plan, planTrimmed } from "./plan.ts";
import { refuseBadInput } from "./refusal.ts";
import { adjust } from "./steps/adjust.ts";
import { convertColorspace } from "./steps/colorspace.ts";
import { crop } from "./steps/crop.ts";
import { open } from "./steps/decode.ts";
import { resize } from "./steps/resize.ts";
import type { Input, Step } from "./steps/step.ts";
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

/** The whole pipeline set up; libvips computes nothing before it is written, except where it takes more than one pipeline. */
async function openPipeline(given: ImageBytes, plan: Plan, from: Size) {
  const image = isOriginal(from, plan) ? await decodable(given) : given;
  const final = plan.trim ? planTrimmed(plan, await Trim.find(image, plan)) : plan;
  const input = await describe(image, final, from);
  const apply = (steps: Step[]) => (picture: Picture) =>
    steps.reduce((before, step) => step(before, final, input), picture);
  const onCanvas = async (picture: Picture) => {
    const adjusted = isAdjusted(final) ? await adjustInSrgb(picture, final, input) : picture;
    const canvas = needsOwnCanvas(final, input) ? await toIntermediate(adjusted) : adjusted;
    return apply(canvasSteps)(canvas);
  };
  const opened = await open(image, final);
  const isSeparated = final.frames === "all" && (mixesRows(final) || needsOwnCanvas(final, input));
  const drawn = isSeparated
    ? await changeFrames(apply([crop])(opened), (frame) =>
        onCanvas(apply([convertColorspace, resize])(frame)),
      )
    : await onCanvas(apply(imageSteps)(opened));
  return { picture: apply(outputSteps)(drawn), final };
}

/** Whether a row of the result is made from several rows, which may be another frame's. */
const mixesRows = ({ scale, crop, source, blur, sharpen }: Plan) => {
  const { w, h } = crop ?? { w: source.width, h: source.height };
  return scale.width !== w || scale.height !== h || blur !== undefined || sharpen !== undefined;
};

/** More than `sniff` reads of an original, which is no SVG here. */
const START_BYTES = 4096;

/** Reads the header (half a millisecond) only where it says something: a rung is always in sRGB, and a JPEG can be gray, but cannot have 16 bits. */
async function describe(image: ImageBytes, plan: Plan, from: Size): Promise<Input> {
  const { width, height } = from;
  const format = sniff(await readPart(image, 0, START_BYTES));
  const isAnimated = plan.frames === "all";
  const isSrgb =
    !isOriginal(from, plan) ||
    format === "webp" ||
    format === "gif" ||
    (format === "jpeg" && plan.background === undefined);
  if (isSrgb && !isAnimated) return { width, height, colour: "srgb" };
  const sharp = await loadSharp();
  const metadata = await sharp(image, { limitInputPixels: false }).metadata();
  return {
    width,
    height,
    colour: inputColour(metadata),
    ...(isAnimated && { timing: { delay: metadata.delay ?? [], loop: metadata.loop ?? 0 } }),
  };
}

const isOriginal = (from: Size, { source }: Pick<Plan, "source">): boolean =>
  from.width === source.width && from.height === source.height;

/**
 * Whether the canvas needs a pipeline of its own. In one pipeline libvips rotates the scaled picture and then looks for the
 * interesting part in the wrong frame; and it draws a background in the numbers that the image is processed in.
 */
const needsOwnCanvas = (plan: Plan, { colour }: Input) =>
  (typeof plan.cut === "string" && plan.turn !== 0) ||
  (plan.background !== undefined && (colour !== "srgb" || plan.gray)) ||
  // the background is not adjusted, also not the white one of a format without transparency
  (isAdjusted(plan) && (plan.background !== undefined || plan.flatten)) ||
  // as raw pixels, which a frame becomes at its end, a gray picture would lose its transparency
  (plan.gray && plan.frames === "all");

const isAdjusted = ({ brightness, contrast, saturation }: Plan) =>
  brightness !== undefined || contrast !== undefined || saturation !== undefined;

/** The numbers of the adjustment are those of sRGB with 8 bits. */
const adjustInSrgb = async (picture: Picture, plan: Plan, input: Input) =>
  adjust(input.colour === "srgb" ? picture : await toIntermediate(picture), plan, input);

/** The picture as PNG without compression, because sharp writes a gray picture as one raw channel without its transparency. */
async function toIntermediate(picture: Picture): Promise<Picture> {
  const sharp = await loadSharp();
  const bytes = await picture.png({ compressionLevel: 0 }).toBuffer();
  const limitInputPixels = Limits.MAX_SCALED_PIXELS;
  return sharp(bytes, { limitInputPixels }).timeout({ seconds: Limits.RENDER_SECONDS });
}
