import * as EncoderSettings from "@balde/imaging/encoder-settings";

import { renderLimit } from "./concurrency-limit.ts";
import type * as Deadline from "./deadline.ts";
import * as DeferredStore from "./deferred-store.ts";
import type { Delivery } from "./delivery.ts";
import * as GrowingFile from "./growing-file.ts";
import * as Lease from "./lease.ts";
import * as RenderSource from "./render-source.ts";
import * as Renderer from "./renderer.ts";
import type { Timing } from "./server-timing.ts";
import * as SingleFlight from "./single-flight.ts";

/** An image that is being rendered; the same object for all requests of this process that wait for it. */
export type Rendering = {
  type: "rendering";
  whole: Promise<Buffer>;
  /** Reads the image while it is rendered; only where the format allows that. */
  read?: GrowingFile.GrowingFile["read"];
} & DeferredStore.DeferredStore;

export type Outcome =
  | Rendering
  | { type: "overBudget" }
  | { type: "heldByAnother" }
  /** The lookup has found the derivative, or has failed. */
  | { type: "notNeeded" };

/** A request that comes after a flight has ended finds the derivative in the bucket. */
const share = SingleFlight.create<Outcome>((outcome) =>
  outcome.type === "rendering" ? outcome.stored : undefined,
);

/**
 * Starts to render, unless another process has the lease or the budget is spent; resolves when the first bytes can be sent.
 * Concurrent requests of this process share one render.
 *
 * @throws delivery.busy when too many renders run and wait already, image.too_complex at the deadline
 */
export function start(
  delivery: Delivery,
  { isFirstAttempt, looking }: { isFirstAttempt: boolean; looking?: Promise<unknown> },
  timing: Timing,
  deadline: Deadline.Deadline,
): Promise<Outcome> {
  const { key, needsBudget, image } = delivery;
  // bytes that will probably not be needed are not read
  const readsEarly = isFirstAttempt && !(needsBudget && Lease.isBudgetSpent(image.id));
  // a signed request may render what the budget refuses to an unsigned one
  return share(needsBudget ? `${key} counted` : key, () =>
    startWithinLimit(delivery, { readsEarly, looking }, timing, deadline),
  );
}

type Preparation = { readsEarly: boolean; looking: Promise<unknown> | undefined };

async function startWithinLimit(
  delivery: Delivery,
  preparation: Preparation,
  timing: Timing,
  deadline: Deadline.Deadline,
): Promise<Outcome> {
  const release = await renderLimit.acquire();
  try {
    const outcome = await startWithLease(delivery, preparation, timing, deadline);
    if (outcome.type === "rendering") outcome.whole.then(release, release);
    else release();
    return outcome;
  } catch (error) {
    release();
    throw error;
  }
}

async function startWithLease(
  delivery: Delivery,
  { readsEarly, looking }: Preparation,
  timing: Timing,
  deadline: Deadline.Deadline,
): Promise<Outcome> {
  const { image, plan, planHash, needsBudget } = delivery;
  const notNeeded = new AbortController();
  // a failure is the answer to the request that looks; another one of the flight looks itself
  const isNeeded = Promise.resolve(looking).then(
    (stored) => stored === undefined,
    () => false,
  );
  void isNeeded.then((needed) => needed || notNeeded.abort());
  const leasing = Lease.acquire({ imageId: image.id, plan: planHash, needsBudget }, deadline);
  let reading: Promise<RenderSource.RenderSource> | undefined;
  try {
    if (!readsEarly) {
      const refused = await leasing;
      if (refused.type !== "acquired") return refused;
    }
    reading = RenderSource.read(delivery, deadline, notNeeded.signal);
    const loading = Renderer.load(delivery);
    // without the lease they are not awaited
    for (const early of [reading, loading]) early.catch(() => {});
    const { lease, source } = await timing.measure("read", leasedSource(leasing, reading, loading));
    if (!source) {
      // an original may be large: it is not read to its end for nothing
      notNeeded.abort();
      void disposeWhenRead(reading);
      return lease;
    }
    if (!(await isNeeded)) throw new Error("The derivative is stored");
    if (EncoderSettings.isStreamedByRows(plan.encoding)) {
      const growing = await timing.measure(
        "begin",
        GrowingFile.create((file) => Renderer.renderInto(file, source, plan, deadline)),
      );
      return {
        type: "rendering",
        ...growing,
        ...DeferredStore.create(delivery, growing.whole, lease),
      };
    }
    const { data } = await timing.measure("render", Renderer.render(source, plan, deadline));
    const whole = Promise.resolve(data);
    return { type: "rendering", whole, ...DeferredStore.create(delivery, whole, lease) };
  } catch (error) {
    notNeeded.abort();
    await Promise.all([Lease.endWhenAcquired(leasing, error), disposeWhenRead(reading)]);
    if (!(await isNeeded)) return { type: "notNeeded" };
    throw error;
  }
}

/** The source when it is read and the engine loaded; without one as soon as the lease is refused. */
async function leasedSource(
  leasing: Promise<Lease.AcquireResult>,
  reading: Promise<RenderSource.RenderSource>,
  loading: Promise<unknown>,
) {
  const lease = await leasing;
  if (lease.type !== "acquired") return { lease };
  const [source] = await Promise.all([reading, loading]);
  return { lease, source };
}

const disposeWhenRead = async (reading: Promise<RenderSource.RenderSource> | undefined) =>
  reading?.then(
    (source) => source.dispose(),
    () => {},
  );
