import { engine } from "./engine.ts";
import * as Limits from "./limits.ts";
import type { Plan } from "./plan.ts";
import type { Box } from "./request.schema.ts";
import { decode } from "./steps/decode.ts";

/** Borders are looked for in a picture of this long edge: exact for most graphics, two pixels off at most for a large photograph. */
const SEARCH_EDGE = 2048;

/** The part of the upright original that is not border, in its pixels; everything when it is all one colour. */
export async function find(bytes: Buffer, plan: Plan): Promise<Box> {
  const sharp = await engine();
  const { width, height } = plan.source;
  const { crop = { x: 0, y: 0, w: width, h: height } } = plan;
  const factor = Math.min(1, SEARCH_EDGE / Math.max(width, height));
  const size = {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
  const { data, info } = await sharp(bytes, decode(plan))
    .timeout({ seconds: Limits.RENDER_SECONDS })
    .autoOrient()
    .resize({ ...size, fit: "fill" })
    .raw()
    .toBuffer({ resolveWithObject: true });

  const across = width / size.width;
  const down = height / size.height;
  const searched = {
    left: Math.floor(crop.x / across),
    top: Math.floor(crop.y / down),
    width: Math.max(1, Math.floor(crop.w / across)),
    height: Math.max(1, Math.floor(crop.h / down)),
  };
  const raw = { width: info.width, height: info.height, channels: info.channels };
  const part = await sharp(data, { raw })
    .extract(searched)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const found = await sharp(part.data, {
    raw: { width: part.info.width, height: part.info.height, channels: part.info.channels },
  })
    .trim({ threshold: plan.trim?.threshold ?? 10 })
    .raw()
    .toBuffer({ resolveWithObject: true });

  const left = Math.floor(crop.x - (found.info.trimOffsetLeft ?? 0) * across);
  const top = Math.floor(crop.y - (found.info.trimOffsetTop ?? 0) * down);
  return {
    x: left,
    y: top,
    w: Math.min(crop.x + crop.w - left, Math.ceil(found.info.width * across)),
    h: Math.min(crop.y + crop.h - top, Math.ceil(found.info.height * down)),
  };
}
