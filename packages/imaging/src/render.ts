import * as DisplayP3 from "./display-p3.ts";
import { type Picture, engine } from "./load-sharp.ts";
import { formats } from "./format.ts";
import { sniff } from "./identify.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { pipeline } from "./pipeline.ts";
import { type Plan, trimmed } from "./plan.ts";
import { blamingInput } from "./refusal.ts";
import { decode } from "./steps/decode.ts";
import { turn } from "./steps/rotate-and-flip.ts";
import * as Trim from "./trim.ts";

export type Rendered = Size & { data: Buffer; contentType: string };

/** Makes what the plan says from the original, or from a rung of its ladder when `from` gives that rung's size. The result has exactly the planned size. */
export async function render(
  bytes: Buffer,
  plan: Plan,
  from: Size = plan.source,
): Promise<Rendered> {
  return blamingInput(async () => {
    const { picture, final } = await opened(bytes, plan, from);
    const data = await picture.toBuffer();
    return {
      data,
      contentType: formats[final.encoding.format].contentType,
      width: final.width,
      height: final.height,
    };
  });
}

/** The same into a file, which grows while the picture is made if the plan's encoding is `byRows`. A file that it ends with an error is not a picture. */
export async function renderInto(
  file: string,
  bytes: Buffer,
  plan: Plan,
  from: Size = plan.source,
): Promise<void> {
  await blamingInput(async () => {
    const { picture } = await opened(bytes, plan, from);
    await picture.toFile(file);
  });
}

/** Every step laid out and nothing computed yet. */
async function opened(bytes: Buffer, plan: Plan, from: Size) {
  const read = { ...from, isDeep: await isDeep(bytes, from, plan) };
  const final = plan.trim ? trimmed(plan, await Trim.find(bytes, plan)) : plan;
  const sharp = await engine();
  const limit = { seconds: Limits.RENDER_SECONDS };
  let picture = sharp(bytes, decode(final)).timeout(limit);
  for (const step of pipeline) {
    if (step === turn && isCutBeforeTurn(final))
      picture = (await finished(sharp, picture)).timeout(limit);
    picture = step(picture, final, read);
  }
  return { picture, final };
}

/** Asked of the header, half a millisecond, where the format can be that deep at all; a rung never is. */
async function isDeep(bytes: Buffer, from: Size, { source }: Plan): Promise<boolean> {
  if (from.width !== source.width || from.height !== source.height) return false;
  const format = sniff(bytes);
  if (format !== "png" && format !== "tiff" && format !== "avif") return false;
  const sharp = await engine();
  return DisplayP3.isDeep(await sharp(bytes, { limitInputPixels: false }).metadata());
}

/** libvips, asked for both at once, turns what it scaled and then looks for the interesting part in the wrong frame. */
const isCutBeforeTurn = ({ cut, turn }: Plan) => typeof cut === "string" && turn !== 0;

async function finished(
  sharp: Awaited<ReturnType<typeof engine>>,
  picture: Picture,
): Promise<Picture> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels } });
}
