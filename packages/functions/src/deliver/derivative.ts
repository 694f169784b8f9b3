import { loadSharp } from "@balde/imaging/load-sharp";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import type { Deadline } from "./deadline.ts";
import type { Delivery } from "./delivery.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import * as DerivativeStore from "./derivative-store.ts";
import * as Etag from "@balde/http/etag";
import * as Range from "@balde/http/range";
import * as Render from "./render.ts";
import * as RenderSource from "./render-source.ts";
import type { EarlyLookup } from "./early-lookup.ts";
import type { Timing } from "./server-timing.ts";

export type Body = {
  body?: Buffer | Readable | undefined;
  /** Of the body, or of the body that a GET would have; undefined while the image is being rendered. */
  bytes?: number | undefined;
  contentRange?: string | undefined;
};

export type Result =
  /** `renderEnded` is set if a render was prepared in vain, and resolves when nothing is left of it. */
  | ({ type: "stored"; renderEnded?: Promise<unknown> } & DerivativeStore.Stored)
  /** `store` resolves when the derivative is stored or cannot be; to be called when the response was sent. */
  | ({ type: "rendered"; store: () => Promise<void> } & Body)
  /** The plan is counted, and the image's budget is spent. */
  | { type: "overBudget" }
  /** Another process still renders the plan at the deadline. */
  | { type: "busy" };

/** Another process needs 20 to 300 ms to render most images. */
const MIN_PAUSE_MS = 20;
const MAX_PAUSE_MS = 250;

/**
 * The derivative from the bucket; else it is rendered here, or awaited while another process renders it. Throws
 * `RangeNotSatisfiable`, and what a render is refused with. When the early lookup has found nothing, a render is probably
 * needed: its source and lease are requested while the bucket is asked again, under the derivative's own key.
 */
export async function findOrRender(
  delivery: Delivery,
  request: DeliveryRequest,
  timing: Timing,
  deadline: Deadline,
  early?: EarlyLookup,
): Promise<Result> {
  const part = requestedPart(delivery, request);
  const found =
    early && (await timing.measure("stored", loadSharpDuring(early.take(delivery), delivery)));
  if (found) return { type: "stored", ...found };
  for (let pause = 0; ; pause = Math.min(Math.max(MIN_PAUSE_MS, 2 * pause), MAX_PAUSE_MS)) {
    if (pause > 0) await timing.measure("wait", sleep(pause));
    const isFirstAttempt = pause === 0;
    const looking = timing.measure(
      "stored",
      loadSharpDuring(DerivativeStore.get(delivery.key, part), delivery),
    );
    const isProbablyNew = isFirstAttempt && early !== undefined;
    if (!isProbablyNew) {
      const stored = await looking;
      if (stored) return { type: "stored", ...stored };
    }
    const starting = Render.start(delivery, { isFirstAttempt, looking }, timing, deadline);
    // the lookup's result counts first
    starting.catch(() => {});
    const stored = await looking;
    if (stored) return { type: "stored", ...stored, renderEnded: starting.catch(() => {}) };
    const render = await starting;
    if (render.type === "overBudget") return render;
    if (render.type === "rendering") return rendered(render, part);
    if (performance.now() > deadline) return { type: "busy" };
  }
}

/** A connection within a region takes a few milliseconds, and loading would hold it up. */
const PRELOAD_DELAY_MS = 5;

/** If the derivative is not stored, the render finds sharp loaded; if it is, the loading stops. With 25 ms to S3, the first response of a process that renders took 160 ms instead of 183, and one from the bucket as long as before. */
async function loadSharpDuring<T>(looking: Promise<T>, delivery: Delivery): Promise<T> {
  // this process does not decode originals
  if (RenderSource.needsOriginal(delivery)) return looking;
  const lookup = new AbortController();
  const { signal } = lookup;
  sleep(PRELOAD_DELAY_MS, undefined, { signal })
    .then(() => loadSharp())
    .catch(() => {});
  try {
    return await looking;
  } finally {
    lookup.abort();
  }
}

/** A HEAD or a range needs the length, and so all of the image; any other body is sent while it is rendered, if the format allows. */
async function rendered(
  { whole, read, store }: Render.Rendering,
  part: DerivativeStore.Part,
): Promise<Result> {
  if (read && !part.isHead && !part.range) return { type: "rendered", body: read(), store };
  try {
    return { type: "rendered", ...slice(await whole, part), store };
  } catch (error) {
    // there is no response after which it could be stored
    await store();
    throw error;
  }
}

function slice(data: Buffer, { range, rangeOf }: DerivativeStore.Part): Body {
  // this is the first encoding: a client with parts of the other one gets the whole
  if (rangeOf === "reencoded") return Range.slice(data, undefined);
  try {
    return Range.slice(data, range);
  } catch (error) {
    // with `If-Range`, a range that does not apply is ignored: RFC 9110, section 13.2.2
    if (rangeOf && error instanceof Range.RangeNotSatisfiable) return Range.slice(data, undefined);
    throw error;
  }
}

function requestedPart(
  { eTags }: Delivery,
  { isHead, range, ifRange }: DeliveryRequest,
): DerivativeStore.Part {
  if (isHead) return { isHead };
  if (ifRange === undefined) return { isHead, range: Range.parse(range) };
  const rangeOf = (["first", "reencoded"] as const).find((encoding) =>
    Etag.isSame(eTags[encoding], ifRange),
  );
  return { isHead, range: rangeOf && Range.parse(range), rangeOf };
}
