import * as EncoderSettings from "@balde/imaging/encoder-settings";
import type { Plan } from "@balde/imaging/plan";

import { renderLimit } from "./concurrency-limit.ts";
import type * as Deadline from "./deadline.ts";
import type { Delivery } from "./delivery.ts";
import * as DerivativeStore from "./derivative-store.ts";
import * as Lease from "./lease.ts";
import * as RenderSource from "./render-source.ts";
import * as Renderer from "./renderer.ts";

// A derivative that is requested often is rendered again in the background, with a slower encoder that makes it smaller, and
// replaces the first one: docs/adr/0022-reencode-avif.md.

/** One response in a hundred: a derivative that is requested so often has saved what encoding it again costs. Chance needs no counter. */
export const ONE_IN = 100;

/** While many clients see a page for the first time, the processor renders the page's other images. */
const MIN_AGE_MS = 10_000;

/** Whether this response is followed by encoding the derivative again; at random. */
export const isDue = (
  plan: Plan,
  {
    isReencoded,
    contentRange,
    lastModified,
  }: Pick<DerivativeStore.Stored, "isReencoded" | "contentRange" | "lastModified">,
): boolean =>
  !isReencoded &&
  contentRange === undefined &&
  EncoderSettings.reencodeSettings(plan.encoding, plan) !== undefined &&
  Date.now() - lastModified.getTime() > MIN_AGE_MS &&
  Math.random() * ONE_IN < 1;

/** Replaces the stored derivative, unless another process does so or it has changed meanwhile. Never rejects: it runs after the response, and a failure is logged. */
export async function run(
  delivery: Pick<Delivery, "key" | "byRequest" | "image" | "plan" | "planHash">,
  stored: Pick<DerivativeStore.Stored, "bucketETag">,
  deadline: Deadline.Deadline,
): Promise<void> {
  const { key, image, plan, planHash } = delivery;
  const encoding = EncoderSettings.reencodeSettings(plan.encoding, plan);
  const release = encoding && (await renderLimit.acquire().catch(() => undefined));
  // when too many renders wait, a later response tries again
  if (!release) return;
  const wanted = { imageId: image.id, plan: `${planHash}-better`, needsBudget: false };
  const leasing = Lease.acquire(wanted, deadline);
  const reading = RenderSource.read({ image, plan }, deadline);
  try {
    const [lease, source] = await Promise.all([leasing, reading, Renderer.load({ image, plan })]);
    if (lease.type !== "acquired") return;
    const { data, contentType } = await Renderer.render(source, { ...plan, encoding }, deadline);
    const ifMatch = stored.bucketETag;
    await DerivativeStore.replace(delivery, data, { type: contentType, ifMatch });
    await lease.end();
  } catch (error) {
    console.error({ message: "A derivative was not encoded again", key, error });
    await Lease.endWhenAcquired(leasing, error);
  } finally {
    await reading.then(
      (source) => source.dispose(),
      () => {},
    );
    release();
  }
}
