import sharp from "sharp";

import * as Ladder from "../src/ladder.ts";
import * as Plan from "../src/plan.ts";
import { type Prepared, prepare } from "../src/prepare.ts";
import { render } from "../src/render.ts";
import { type Request, parse } from "../src/request.ts";

const query = (text: string): Request =>
  parse(Object.fromEntries([...new URLSearchParams(text)].map(([key, value]) => [key, [value]])))
    .request;

/** The picture that a request receives: from a rung where there is one, as in production. `original` reads the original instead. */
export async function deliver(
  bytes: Buffer,
  text: string,
  from: "any" | "original" = "any",
  prepared?: Prepared,
): Promise<Buffer> {
  const image = prepared ?? (await prepare(bytes, { namedCopy: false }));
  const { width, height, format, pages, hasAlpha } = image;
  const source = { width, height, format, pages, hasAlpha };
  const plan = Plan.plan(query(text), source, { avif: false, webp: false });
  const rung = from === "any" ? Ladder.choose(plan, image, image.rungs) : undefined;
  return (await render(rung?.data ?? bytes, plan, rung)).data;
}

/** The RGBA colours of a picture at points in pixels; of an animation, at points of its frame. */
export async function coloursAt(picture: Buffer, points: [number, number][], page = 0) {
  const { data, info } = await sharp(picture, { page })
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return points.map(([x, y]) => [...data.subarray((y * info.width + x) * 4).subarray(0, 4)]);
}

/** The largest difference of a channel; a transparent pixel may have any colour. */
export const distance = (seen: number[] | undefined, expected: readonly number[]): number =>
  Math.max(
    ...expected.map((part, channel) =>
      channel < 3 && expected[3] === 0 ? 0 : Math.abs(seen![channel]! - part),
    ),
  );
