import { VisibleError } from "@balde/core/error";
import * as Etag from "@balde/http/etag";

import * as Deadline from "./deadline.ts";
import * as Delivery from "./delivery.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import type { DeliveryResponse } from "./delivery-response.ts";
import * as Derivative from "./derivative.ts";
import * as EarlyLookup from "./early-lookup.ts";
import * as ImageCache from "./image-cache.ts";
import * as ImageFacts from "./image-facts.ts";
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
  const finding = timing.measure("find", ImageCache.get(request.id, request.rev, isSigned));
  if (ImageFacts.isRequested(query)) return ImageFacts.respond(request, query, await finding);
  const early = EarlyLookup.start(request, query);
  const planning = finding.then((image) => Delivery.plan(request, query, image));
  planning.catch(() => early?.cancel());

  let delivery = await planning;
  const { image } = delivery;
  let result = await deliver(delivery, request, timing, deadline, early);
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
      const isReencodeDue = Reencode.isDue(delivery.plan, stored);
      const afterSent = async () => {
        await stored.renderEnded;
        if (isReencodeDue) await Reencode.run(delivery, stored, deadline);
      };
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
  early?: EarlyLookup.EarlyLookup,
): Promise<Result> {
  const { first, reencoded } = delivery.eTags;
  const eTag = [first, reencoded].find((tag) => Etag.matches(tag, request.ifNoneMatch));
  if (eTag) return { type: "notModified", eTag };
  return Derivative.findOrRender(delivery, request, timing, deadline, early);
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
