import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";

// What strangers may have made of a picture: so many different plans, and those again and again. docs/adr/0019-budget.md
// says why, and what comes after.

/** Different plans of one image that anybody may choose freely: some twenty sizes, in the formats that browsers accept. */
export const MOST_PLANS = 64;

/** As long as what was made of a plan is stored (`derived/` in infra/storage.ts), counted from the last plan that was new. */
const KEPT_SECONDS = 30 * ImageRow.DAY_SECONDS;

/** Whether the plan is in the budget of the image: it was before, or there was room for it. */
export async function spend(imageId: ImageId, plan: string): Promise<boolean> {
  const item = await Dynamo.update({
    key: key(imageId),
    set: { expiresAt: ImageRow.seconds() + KEPT_SECONDS },
    add: { plans: new Set([plan]) },
    when: "attribute_not_exists(#plans) OR size(#plans) < :most OR contains(#plans, :plan)",
    values: { most: MOST_PLANS, plan },
  });
  return item !== undefined;
}

export const close = (imageId: ImageId) => Dynamo.remove({ key: key(imageId) });

const key = (imageId: ImageId): Dynamo.Key => ({ pk: `MADE#${imageId}`, sk: "BUDGET" });
