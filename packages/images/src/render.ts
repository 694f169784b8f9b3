import { engine } from "./engine.ts";
import { formats } from "./format.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import { pipeline } from "./pipeline.ts";
import { type Plan, trimmed } from "./plan.ts";
import { blamingInput } from "./refusal.ts";
import { decode } from "./steps/decode.ts";
import * as Trim from "./trim.ts";

export type Rendered = Size & { data: Buffer; contentType: string };

/** Makes what the plan says from the original, or from a rung of its ladder when `from` gives that rung's size. The result has exactly the planned size. */
export async function render(
  bytes: Buffer,
  plan: Plan,
  from: Size = plan.source,
): Promise<Rendered> {
  return blamingInput(async () => {
    const final = plan.trim ? trimmed(plan, await Trim.find(bytes, plan)) : plan;
    const sharp = await engine();
    const opened = sharp(bytes, decode(final)).timeout({ seconds: Limits.RENDER_SECONDS });
    const picture = pipeline.reduce((done, step) => step(done, final, from), opened);
    const data = await picture.toBuffer();
    return {
      data,
      contentType: formats[final.encoding.format].contentType,
      width: final.width,
      height: final.height,
    };
  });
}
