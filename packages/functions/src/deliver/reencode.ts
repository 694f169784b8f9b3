import * as Bucket from "@balde/core/bucket";
import * as EncoderSettings from "@balde/imaging/encoder-settings";
import { engine } from "@balde/imaging/load-sharp";
import type { Plan } from "@balde/imaging/plan";
import { render } from "@balde/imaging/render";

import * as Deadline from "./deadline.ts";
import * as Lease from "./lease.ts";
import type { Picture } from "./image-cache.ts";
import * as RenderSource from "./render-source.ts";
import * as DerivativeStore from "./derivative-store.ts";

// A picture that many ask for is made again, in the background and by a more patient encoder, and takes the place of the
// first one: docs/adr/0022-reencode-avif.md.

/** One answer in so many: who is asked for so often has saved what it costs. Chance needs no counter. */
export const ONE_IN = 100;

/** A page that is seen for the first time by many at once has better things to do. */
const RUSH_MS = 10_000;

export const isDue = (
  plan: Plan,
  { isBetter, contentRange, lastModified }: DerivativeStore.Found,
): boolean =>
  !isBetter &&
  contentRange === undefined &&
  EncoderSettings.better(plan.encoding, plan) !== undefined &&
  Date.now() - lastModified.getTime() > RUSH_MS &&
  Math.random() * ONE_IN < 1;

/** Never rejects: nobody waits for it. */
export async function make(
  { picture, plan, hash }: { picture: Picture; plan: Plan; hash: string },
  key: string,
  first: DerivativeStore.Found,
  until: Deadline.Deadline,
): Promise<void> {
  const encoding = EncoderSettings.better(plan.encoding, plan);
  if (!encoding) return;
  const wanted = { imageId: picture.id, plan: `${hash}-better`, needsBudget: false };
  const taking = Lease.take(wanted, until);
  try {
    const [lease, { bytes, from }] = await Promise.all([
      taking,
      RenderSource.read({ picture, plan }),
      engine(),
    ]);
    if (typeof lease === "string") return;
    const rendering = render(bytes, { ...plan, encoding }, from);
    const { data, contentType } = await Deadline.within(until, rendering);
    await Bucket.put(key, data, {
      type: contentType,
      ifMatch: first.eTag,
      metadata: DerivativeStore.better,
    });
    await lease.end();
  } catch (error) {
    console.error({ message: "a picture was not made better", key, error });
    await Lease.giveUp(taking, error);
  }
}
