import { ImageId } from "@balde/core/id.schema";
import * as Range from "@balde/http/range";
import * as z from "zod/mini";

import * as Delivery from "./delivery.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import * as DerivativeStore from "./derivative-store.ts";
import * as ImageCache from "./image-cache.ts";

// The key of a derivative is known when the image is known. A copy under the hash of the request is asked for at the same
// time as the image, so that a stored derivative costs one wait, not two: docs/adr/0031-copies-by-request.md.

export type EarlyLookup = {
  /** The derivative, if one is stored for the request and it is that of the delivery. To be called once, instead of `cancel`. */
  take(delivery: Delivery.Delivery): Promise<DerivativeStore.Stored | undefined>;
  /** Reads no more; for a request that gets no image. */
  cancel(): void;
};

/**
 * Starts to look for the derivative; undefined if that would save nothing: the image is known, the answer will probably be
 * 304, or the part depends on which encoding is stored.
 */
export function start(
  { id, isHead, range, ifNoneMatch, ifRange, ...request }: DeliveryRequest,
  query: Delivery.Query,
): EarlyLookup | undefined {
  const parsed = z.safeParse(ImageId, id);
  if (!parsed.success || ifNoneMatch !== undefined || ifRange !== undefined) return undefined;
  if (ImageCache.isKnown(parsed.data, query.expiresAt !== undefined)) return undefined;
  const key = Delivery.keyByRequest(parsed.data, request, query);
  // whatever fails here, a range beyond the end too, is found again under the derivative's own key
  const looking = DerivativeStore.get(key, { isHead, range: Range.parse(range) }).catch(
    () => undefined,
  );
  // a body that fails before it is sent fails again when it is
  void looking.then((stored) => stored?.body?.on("error", () => {}));
  const cancel = () => void looking.then((stored) => stored?.body?.destroy());
  return {
    async take({ byRequest }) {
      const stored = await looking;
      // made of another revision, or by other rules than today's
      if (stored && stored.plan !== byRequest.plan) {
        cancel();
        return undefined;
      }
      return stored;
    },
    cancel,
  };
}
