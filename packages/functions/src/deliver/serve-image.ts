import { VisibleError } from "@balde/core/error";
import * as Etag from "@balde/http/etag";

import * as Deadline from "./deadline.ts";
import * as Delivery from "./delivery.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import type { DeliveryResponse } from "./delivery-response.ts";
import * as Derivative from "./derivative.ts";
import * as ImageCache from "./image-cache.ts";
import * as Reencode from "./reencode.ts";
import { type Timing, createTiming } from "./server-timing.ts";

type Result = { type: "notModified"; eTag: string } | Derivative.Result;

/** The response with the image. Throws a `VisibleError`, a `Refusal` or `RangeNotSatisfiable` when there is none to send. */
export async function serveImage(
  request: DeliveryRequest,
  deadline = Deadline.fromRemaining(Infinity),
): Promise<DeliveryResponse> {
  const timing = createTiming();
  // the signature is checked before the image is looked up: the response to a wrong one does not tell whether the image exists
  const query = Delivery.parse(request);
  const isSigned = query.expiresAt !== undefined;
  const image = await timing.measure("find", ImageCache.get(request.id, request.rev, isSigned));

  let delivery = Delivery.plan(request, query, image);
  let result = await deliver(delivery, request, timing, deadline);
  if (result.type === "overBudget") {
    delivery = Delivery.planSnapped(request, query, image);
    result = await deliver(delivery, request, timing, deadline);
  }

  const { headers, imageHeaders, eTags } = delivery;
  switch (result.type) {
    case "notModified":
      return {
        status: 304,
        headers: {
          ...headers,
          ETag: result.eTag,
          // without one the gateway writes application/json, which a cache may store with the image: RFC 9111, section 3.2
          "Content-Type": imageHeaders["Content-Type"]!,
        },
      };
    case "stored": {
      const stored = result;
      const afterSent = Reencode.isDue(delivery.plan, stored)
        ? () => Reencode.run(delivery, stored, deadline)
        : undefined;
      const eTag = stored.isReencoded ? eTags.reencoded : eTags.first;
      return imageResponse(delivery, eTag, stored, afterSent, timing);
    }
    case "rendered":
      return imageResponse(delivery, eTags.first, result, result.store, timing);
    case "overBudget":
      throw new Error(`BUG: a budget-free plan of ${image.id} was charged to the budget`);
    case "busy":
      throw busy();
  }
}

/** 304 needs nothing from the bucket; either of the two encodings that the client has is good. */
async function deliver(
  delivery: Delivery.Delivery,
  request: DeliveryRequest,
  timing: Timing,
  deadline: Deadline.Deadline,
): Promise<Result> {
  const { first, reencoded } = delivery.eTags;
  const eTag = [first, reencoded].find((tag) => Etag.matches(tag, request.ifNoneMatch));
  if (eTag) return { type: "notModified", eTag };
  return Derivative.findOrRender(delivery, request, timing, deadline);
}

const imageResponse = (
  { headers, imageHeaders }: Delivery.Delivery,
  eTag: string,
  { body, bytes, contentRange }: Derivative.Body,
  afterSent: DeliveryResponse["afterSent"],
  timing: Timing,
): DeliveryResponse => ({
  status: contentRange === undefined ? 200 : 206,
  headers: {
    ...headers,
    ETag: eTag,
    ...imageHeaders,
    ...(bytes !== undefined && { "Content-Length": String(bytes) }),
    "Server-Timing": timing.header(),
    ...(contentRange !== undefined && { "Content-Range": contentRange }),
  },
  body,
  afterSent,
});

const busy = () =>
  new VisibleError("unavailable", "delivery.busy", "The image is still being rendered", {
    retryAfterSeconds: 1,
  });
