import { createHash } from "node:crypto";

import { Refusal } from "@balde/imaging/refusal";
import * as Request from "@balde/imaging/request";

import type { Query } from "./delivery.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import type { DeliveryResponse } from "./delivery-response.ts";
import * as Etag from "@balde/http/etag";
import type { DeliverableImage } from "./image-cache.ts";
import * as ResponseHeaders from "./response-headers.ts";

/** Whether the request asks what is known of the image instead of the image. */
export const isRequested = ({ asked }: Query): boolean => asked.f === "json";

/**
 * What is known of the image, as JSON; visible where the image is, cached as it is, and in no budget. No pixel is read.
 *
 * @throws delivery.invalid_query for keys and presets, which say how an image looks
 */
export function respond(
  request: DeliveryRequest,
  { asked, expiresAt }: Query,
  image: DeliverableImage,
): DeliveryResponse {
  refuseOtherKeys(request, asked);
  const body = Buffer.from(JSON.stringify(factsOf(image)));
  const eTag = `"${image.rev}-${createHash("sha256").update(body).digest("hex").slice(0, 20)}"`;
  const isCurrent = Etag.matches(eTag, request.ifNoneMatch);
  return {
    status: isCurrent ? 304 : 200,
    headers: {
      ...ResponseHeaders.caching({ ...image, ...request, expiresAt }, asked),
      ...ResponseHeaders.safety,
      ETag: eTag,
      "Content-Type": "application/json",
      ...(!isCurrent && { "Content-Length": String(body.length) }),
    },
    ...(!isCurrent && { body }),
  };
}

/** Sizes in pixels of the upright original, `bytes` and `type` of the original; `frames` above 1 is an animation. */
function factsOf({ id, rev, source, facts }: DeliverableImage) {
  const { width, height, pages, hasAlpha, focal, credit } = source;
  const { type, bytes, color, thumbhash } = facts;
  return {
    id,
    rev,
    type,
    bytes,
    width,
    height,
    frames: pages,
    hasAlpha,
    color,
    thumbhash,
    focal,
    ...(credit && Object.keys(credit).length > 0 && { credit }),
  };
}

function refuseOtherKeys({ preset }: DeliveryRequest, asked: Request.Request) {
  const { f: _, ...others } = asked;
  const written = Request.texts(others);
  const problems = Object.entries(written).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [{ key, value, detail: "has no meaning beside f=json, which is about the original" }],
  );
  if (preset !== undefined)
    problems.push({ key: "f", value: "json", detail: "is about the original, not about a preset" });
  if (problems.length === 0) return;
  const sentences = problems.map(({ key, value, detail }) => `"${key}" = "${value}" ${detail}`);
  throw new Refusal("invalid", "delivery.invalid_query", sentences.join(". "), { problems });
}
