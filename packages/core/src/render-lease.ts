import { randomUUID } from "node:crypto";

import * as z from "zod/mini";

import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import type { ImageId } from "./id.schema.ts";

// Which one of all processes that need the same derivative renders it, and whether the image's budget allows it. One write
// decides both: docs/adr/0020-one-render.md (the lease) and docs/adr/0021-budget.md (the budget).

export type LeaseRequest = {
  imageId: ImageId;
  /** The hash of the plan. */
  plan: string;
  /** True if the plan counts in the budget of the image. */
  needsBudget: boolean;
};

/** `holder` is a random id. */
export type Lease = LeaseRequest & { holder: string };

/** Why the plan cannot be rendered: the error of the process that tried it. */
export type Refusal = z.infer<typeof Refusal>;
const Refusal = z.object({ kind: z.string(), code: z.string(), detail: z.string() });

export type AcquireResult =
  | { type: "acquired"; lease: Lease }
  | { type: "heldByAnother"; refusal: Refusal | undefined }
  | { type: "budgetSpent" };

/** Different plans of one image that may be rendered without a signature: some twenty sizes, in the formats that browsers accept. */
export const MAX_PLANS_PER_IMAGE = 64;

/** How long others wait for a process that was killed. A process that works renews its lease three times in it. */
export const LEASE_MS = 4_000;
export const RENEW_MS = LEASE_MS / 4;

/** Longer than the interval in which waiting processes look again, and short enough that a wrong refusal is soon forgotten. */
const REFUSAL_MS = 5_000;

/** As long as derivatives are stored (`derived/` in infra/storage.ts), counted from the last new plan. */
const BUDGET_SECONDS = 30 * Clock.DAY_SECONDS;
/** Much longer than a lease can last; then the TTL removes the row. */
const LEASE_ROW_SECONDS = 3600;

/**
 * Takes the lease on a plan for `LEASE_MS`. `heldByAnother` if another process has it (with its refusal, if it has failed
 * for good), and in the rare case that it became free at this moment: try again. `budgetSpent` if the image has as many
 * other plans as its budget allows; a plan that is in the budget stays in it. Costs one write; a second request, a read,
 * only if the lease is not acquired.
 */
export async function acquire(request: LeaseRequest): Promise<AcquireResult> {
  const { plan, needsBudget } = request;
  const { key, attribute } = locationOf(request);
  const lease = { ...request, holder: randomUUID() };
  const nowMs = Clock.nowMs();
  const isFree = `(attribute_not_exists(#${attribute}) OR #${attribute}.#expiresAtMs <= :nowMs)`;
  const isInBudget =
    "(attribute_not_exists(#plans) OR size(#plans) < :maxPlans OR contains(#plans, :plan))";
  const rowSeconds = needsBudget ? BUDGET_SECONDS : LEASE_ROW_SECONDS;
  const item = await Dynamo.update({
    key,
    set: { ...leaseAttribute(lease, LEASE_MS), expiresAt: Clock.nowSeconds() + rowSeconds },
    ...(needsBudget && { add: { plans: new Set([plan]) } }),
    condition: needsBudget ? `${isFree} AND ${isInBudget}` : isFree,
    values: { nowMs, ...(needsBudget && { maxPlans: MAX_PLANS_PER_IMAGE, plan }) },
  });
  if (item) return { type: "acquired", lease };
  const { [attribute]: stored, plans } = (await Dynamo.get(key)) ?? {};
  const other = stored === undefined ? undefined : StoredLease.parse(stored);
  // the answer of the first attempt was lost, and another plan of the budget was written before the second one
  if (other?.holder === lease.holder) return { type: "acquired", lease };
  if (other && other.expiresAtMs > nowMs) return { type: "heldByAnother", refusal: other.refusal };
  const isSpent = plans instanceof Set && plans.size >= MAX_PLANS_PER_IMAGE && !plans.has(plan);
  return isSpent ? { type: "budgetSpent" } : { type: "heldByAnother", refusal: undefined };
}

/** Extends a lease to `LEASE_MS` from now. Changes nothing if another process has it by now; so do the next two. */
export const renew = (lease: Lease): Promise<unknown> =>
  changeOwn(lease, { set: leaseAttribute(lease, LEASE_MS) });

/** Ends a lease with the reason why the plan cannot be rendered. For five seconds every process that asks gets it. */
export const recordRefusal = (lease: Lease, refusal: Refusal): Promise<unknown> =>
  changeOwn(lease, { set: leaseAttribute(lease, REFUSAL_MS, refusal) });

/** Ends a lease at once, so that another process may try. */
export const release = (lease: Lease): Promise<unknown> =>
  changeOwn(lease, { remove: [locationOf(lease).attribute] });

/** The query for the budget and all leases of an image, to remove them with the image. */
export const imageQuery = (imageId: ImageId): Dynamo.Query => ({
  keyCondition: "#pk = :pk",
  values: { pk: partition(imageId) },
  isConsistent: true,
});

const changeOwn = (lease: Lease, change: Pick<Dynamo.Update, "set" | "remove">) => {
  const { key, attribute } = locationOf(lease);
  const condition = `#${attribute}.#holder = :holder`;
  return Dynamo.update({ ...change, key, condition, values: { holder: lease.holder } });
};

const leaseAttribute = (lease: Lease, ms: number, refusal?: Refusal) => ({
  [locationOf(lease).attribute]: {
    holder: lease.holder,
    expiresAtMs: Clock.nowMs() + ms,
    refusal,
  } satisfies StoredLease,
});

type StoredLease = z.infer<typeof StoredLease>;
const StoredLease = z.object({
  holder: z.string(),
  /** In milliseconds since 1970; the clocks of two functions differ by less than the interval of renewals. */
  expiresAtMs: z.number(),
  refusal: z.optional(Refusal),
});

/** A plan that needs the budget has its lease in the budget's row, so that one write does both. Any other plan has a row of its own: there is no limit to them, and a row is limited to 400 KB. */
const locationOf = ({
  imageId,
  plan,
  needsBudget,
}: LeaseRequest): { key: Dynamo.Key; attribute: string } =>
  needsBudget
    ? { key: { pk: partition(imageId), sk: "BUDGET" }, attribute: `lease_${plan}` }
    : { key: { pk: partition(imageId), sk: `PLAN#${plan}` }, attribute: "lease" };

const partition = (imageId: ImageId) => `MADE#${imageId}`;
