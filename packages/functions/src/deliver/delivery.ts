import type { ImageId } from "@balde/core/id.schema";
import * as ObjectKey from "@balde/core/object-key";
import * as SignedUrl from "@balde/core/signed-url";
import { acceptedFormats } from "@balde/imaging/accept";
import * as BudgetFreePlans from "@balde/imaging/budget-free-plans";
import { formats } from "@balde/imaging/format";
import * as Plan from "@balde/imaging/plan";
import * as Preset from "@balde/imaging/preset";
import { Refusal } from "@balde/imaging/refusal";
import * as Request from "@balde/imaging/request";

import type { DeliveryRequest } from "./delivery-request.ts";
import type { DeliverableImage } from "./image-cache.ts";
import { presets } from "./presets.ts";
import * as ResponseHeaders from "./response-headers.ts";

/** A delivery as it is planned: everything that is known before the bucket is asked. */
export type Delivery = {
  image: DeliverableImage;
  plan: Plan.Plan;
  planHash: string;
  /** Where the derivative is stored. */
  key: string;
  /** Where its copy is stored that can be found before the image is known, and what that copy's metadata says. */
  byRequest: { key: string; plan: string };
  /** The derivative is stored as it was rendered first or as it was encoded again; which of the two is known only when it is read. */
  eTags: { first: string; reencoded: string };
  /** Whether the plan may be rendered only while it is in the image's budget or the budget has room. */
  needsBudget: boolean;
  /** Headers of every response, 304 included. */
  headers: Record<string, string>;
  /** Headers of a response with the image. */
  imageHeaders: Record<string, string>;
};

/** The parts of a request's query. */
export type Query = {
  asked: Request.Request;
  preset: Request.Request | undefined;
  /** In seconds since 1970; undefined without a signature. */
  expiresAt: number | undefined;
};

/**
 * The query, with its signature checked.
 *
 * @throws delivery.invalid_query, delivery.no_such_preset, delivery.signature_wrong, delivery.signature_expired
 */
export function parse({ host, id, rev, preset, query }: DeliveryRequest): Query {
  const { request: asked, signature } = Request.parse(query);
  const named = preset ? Preset.apply(presets(), preset, {}) : undefined;
  if (signature) SignedUrl.verify({ host, segments: [id, rev, preset], query });
  return { asked, preset: named, expiresAt: signature?.exp };
}

/**
 * Where a copy of the derivative may be stored, from what is known without the image. Requests that differ in spelling
 * may have different keys and the same derivative.
 */
export function keyByRequest(
  id: ImageId,
  { accept }: Pick<DeliveryRequest, "accept">,
  { preset, asked }: Query,
): string {
  const hash = Request.hash({ ...preset, ...asked }, acceptedFormats(accept));
  return ObjectKey.derivativeByRequest(id, hash);
}

/** The delivery of exactly what was asked for. Throws the `Refusal` of a request that the image or a limit does not allow. */
export function plan(request: DeliveryRequest, query: Query, image: DeliverableImage): Delivery {
  return create(request, query, image, false);
}

/**
 * The delivery of the nearest plan that needs no budget.
 *
 * @throws delivery.budget_spent when there is none
 */
export function planSnapped(
  request: DeliveryRequest,
  query: Query,
  image: DeliverableImage,
): Delivery {
  return create(request, snapped(query), image, true);
}

function create(
  request: DeliveryRequest,
  query: Query,
  image: DeliverableImage,
  isSnapped: boolean,
): Delivery {
  const { asked, expiresAt } = query;
  const wanted = { ...query.preset, ...asked };
  const accept = acceptedFormats(request.accept);
  const plan = Plan.plan(wanted, image.source, accept);
  const planHash = Plan.hash(plan);
  const first = `${image.rev}-${planHash}`;
  return {
    image,
    plan,
    planHash,
    key: ObjectKey.derivative(
      image.id,
      image.rev,
      `${planHash}.${formats[plan.encoding.format].extension}`,
    ),
    byRequest: { key: keyByRequest(image.id, request, query), plan: first },
    // strong: equal plans of the same original are rendered to equal bytes
    eTags: { first: `"${first}"`, reencoded: `"${first}-better"` },
    needsBudget:
      expiresAt === undefined && !isSnapped && !isBudgetFree(planHash, query, image, accept),
    headers: {
      ...ResponseHeaders.caching({ ...image, ...request, expiresAt, isSnapped }, wanted),
      ...ResponseHeaders.safety,
      ...(isSnapped && { "Content-Location": `?${Request.print(asked)}` }),
    },
    imageHeaders: ResponseHeaders.content(image, plan, wanted.dl),
  };
}

/** A plan that snapping does not change needs no budget. */
function isBudgetFree(
  planHash: string,
  query: Query,
  { source }: DeliverableImage,
  accept: ReturnType<typeof acceptedFormats>,
): boolean {
  try {
    const { preset, asked } = snapped(query);
    return Plan.hash(Plan.plan({ ...preset, ...asked }, source, accept)) === planHash;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const snapped = (query: Query): Query => ({
  ...query,
  asked: BudgetFreePlans.snap(query.asked, query.preset),
});
