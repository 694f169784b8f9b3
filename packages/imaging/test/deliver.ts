import sharp from "sharp";

import { identify } from "../src/identify.ts";
import * as Plan from "../src/plan.ts";
import { render } from "../src/render.ts";
import type { Request } from "../src/request.ts";

const none = { avif: false, webp: false };

/** What somebody gets who asks for an original so, with the plan and what the file says of itself. */
export async function delivered(
  bytes: Buffer,
  request: Request,
  accepted = none,
  more: Partial<Plan.Source> = {},
) {
  const { width, height, format, pages } = await identify(bytes);
  const plan = Plan.plan(
    request,
    { width, height, format, pages, hasAlpha: false, ...more },
    accepted,
  );
  const made = await render(bytes, plan);
  const metadata = await sharp(made.data, { animated: true }).metadata();
  return { ...made, metadata, plan };
}
