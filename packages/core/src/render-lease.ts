import { randomUUID } from "node:crypto";

import * as z from "zod/mini";

import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";
import * as ImageRow from "./image.row.ts";

// Who makes a picture, of all processes that are asked for it, and whether anybody may: one write says both. ADR 0021 is
// about the budget, ADR 0020 about the lease.

export type Wanted = {
  imageId: ImageId;
  plan: string;
  /** Whether it needs a place in the budget of the image. */
  isCounted: boolean;
};

export type Lease = Wanted & { by: string };

/** Why nobody will get this picture: what who tried it was told. */
export type Refusal = z.infer<typeof Refusal>;
const Refusal = z.object({ kind: z.string(), code: z.string(), detail: z.string() });

export type Taken =
  | { state: "mine"; lease: Lease }
  | { state: "held"; refusal: Refusal | undefined }
  | { state: "spent" };

/** Different plans of one image that anybody may choose freely: some twenty sizes, in the formats that browsers accept. */
export const MOST_PLANS = 64;

/** So long others wait for who was killed. Whoever is alive renews it three times meanwhile. */
export const LEASE_MS = 4_000;
export const RENEW_MS = LEASE_MS / 4;

/** Longer than anybody who waits takes to look again, and short enough that a mistake of ours is not remembered. */
const REFUSED_MS = 5_000;

/** As long as what was made of a plan is stored (`derived/` in infra/storage.ts), counted from the last plan that was made. */
const BUDGET_SECONDS = 30 * ImageRow.DAY_SECONDS;
/** Nobody asks for a lease that is over. */
const LEASE_SECONDS = 3600;

/** The lease, unless somebody has it, has just been refused, or the budget of the image is spent. A plan that is in the budget stays in it. */
export async function take(wanted: Wanted): Promise<Taken> {
  const { plan, isCounted } = wanted;
  const { key, name } = place(wanted);
  const lease = { ...wanted, by: randomUUID() };
  const now = Date.now();
  const isFree = `(attribute_not_exists(#${name}) OR #${name}.#until <= :now)`;
  const hasRoom =
    "(attribute_not_exists(#plans) OR size(#plans) < :most OR contains(#plans, :plan))";
  const seconds = isCounted ? BUDGET_SECONDS : LEASE_SECONDS;
  const item = await Dynamo.update({
    key,
    set: { ...term(lease, LEASE_MS), expiresAt: ImageRow.seconds() + seconds },
    ...(isCounted && { add: { plans: new Set([plan]) } }),
    when: isCounted ? `${isFree} AND ${hasRoom}` : isFree,
    values: { now, ...(isCounted && { most: MOST_PLANS, plan }) },
  });
  if (item) return { state: "mine", lease };
  const { [name]: held, plans } = (await Dynamo.get(key)) ?? {};
  const other = held === undefined ? undefined : Held.parse(held);
  if (other && other.until > now) return { state: "held", refusal: other.refusal };
  const isSpent = plans instanceof Set && plans.size >= MOST_PLANS && !plans.has(plan);
  // it was held a moment ago and is free now: to be tried again
  return isSpent ? { state: "spent" } : { state: "held", refusal: undefined };
}

export const renew = (lease: Lease) => change(lease, { set: term(lease, LEASE_MS) });

/** Whoever waits is told the same. */
export const refuse = (lease: Lease, refusal: Refusal) =>
  change(lease, { set: term(lease, REFUSED_MS, refusal) });

/** Whoever waits may try. */
export const release = (lease: Lease) => change(lease, { remove: [place(lease).name] });

/** The budget and all leases of an image that is erased. */
export const ofImage = (imageId: ImageId): Dynamo.Query => ({
  when: "#pk = :pk",
  values: { pk: partition(imageId) },
  isConsistent: true,
});

/** Whoever took over in the meantime is not disturbed. */
const change = (lease: Lease, to: Pick<Dynamo.Update, "set" | "remove">) => {
  const { key, name } = place(lease);
  return Dynamo.update({ ...to, key, when: `#${name}.#by = :by`, values: { by: lease.by } });
};

const term = (lease: Lease, ms: number, refusal?: Refusal) => ({
  [place(lease).name]: { by: lease.by, until: Date.now() + ms, refusal } satisfies Held,
});

type Held = z.infer<typeof Held>;
const Held = z.object({
  by: z.string(),
  /** In milliseconds; the clocks of two functions differ by less than a lease is renewed in. */
  until: z.number(),
  refusal: z.optional(Refusal),
});

/** Beside the budget if it needs one, so that one write does for both; else in a row of its own, for there is no end to them. */
const place = ({ imageId, plan, isCounted }: Wanted): { key: Dynamo.Key; name: string } =>
  isCounted
    ? { key: { pk: partition(imageId), sk: "BUDGET" }, name: `lease_${plan}` }
    : { key: { pk: partition(imageId), sk: `PLAN#${plan}` }, name: "lease" };

const partition = (imageId: ImageId) => `MADE#${imageId}`;
