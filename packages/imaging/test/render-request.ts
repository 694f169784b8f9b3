import sharp from "sharp";

import { identify } from "../src/identify.ts";
import * as Ladder from "../src/ladder.ts";
import * as Plan from "../src/plan.ts";
import { prepare } from "../src/prepare.ts";
import { render } from "../src/render.ts";
import type { Request } from "../src/request.ts";

const none = { avif: false, webp: false };

/** The result of a request for an original, or for the rungs of an SVG: the rendered picture, its plan and its metadata. */
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
  const rung = format === "svg" ? await rungOf(bytes, plan) : undefined;
  const output = await render(rung?.data ?? bytes, plan, rung);
  const metadata = await sharp(output.data, { animated: true }).metadata();
  return { ...output, metadata, plan };
}

async function rungOf(bytes: Buffer, plan: Plan.Plan) {
  const { rungs, format } = await prepare(bytes, { namedCopy: false });
  return Ladder.choose(plan, { format }, rungs);
}
