import sharp from "sharp";

import { identify } from "../src/identify.ts";
import * as Plan from "../src/plan.ts";
import { render } from "../src/render.ts";
import type { Request } from "../src/request.ts";

const none = { avif: false, webp: false };

/** The result of a request for an original: the rendered picture, its plan and its metadata. */
export async function renderRequest(
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
  const output = await render(bytes, plan);
  const metadata = await sharp(output.data, { animated: true }).metadata();
  return { ...output, metadata, plan };
}
