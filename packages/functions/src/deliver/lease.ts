import * as RenderLease from "@balde/core/render-lease";
import { type Kind, Refusal } from "@balde/imaging/refusal";
import { LRUCache } from "lru-cache";
import { setTimeout as sleep } from "node:timers/promises";

import type { Deadline } from "./deadline.ts";

// The lease on a plan, by which one process renders it while others wait: docs/adr/0020-one-render.md. Delivery works without
// the table: then several processes may render the same plan.

export type Lease = {
  /** To be called when the derivative is stored, or with the reason why it will not be: a `Refusal` is what waiting processes refuse with, too. */
  end(error?: unknown): Promise<void>;
};

export type AcquireResult =
  | ({ type: "acquired" } & Lease)
  | { type: "heldByAnother" }
  | { type: "overBudget" };

/** Longer than a healthy table takes in a bad moment. */
const TABLE_TIMEOUT_MS = 2_000;

/** Images whose budget this process has seen spent: a hundred kilobytes at most. */
const spentBudgets = new LRUCache<RenderLease.LeaseRequest["imageId"], true>({ max: 1000 });

/** Whether this process has seen that the budget of the image is spent: then a new plan will probably be refused. */
export const isBudgetSpent = (imageId: RenderLease.LeaseRequest["imageId"]): boolean =>
  spentBudgets.has(imageId);

/** The lease, which is renewed until it ends or the deadline has passed. Throws the `Refusal` that the last holder of the lease ended it with. */
export async function acquire(
  request: RenderLease.LeaseRequest,
  deadline: Deadline,
): Promise<AcquireResult> {
  const result = await ignoringFailure(RenderLease.acquire(request));
  if (!result) return { type: "acquired", end: async () => {} };
  if (result.type === "budgetSpent") {
    spentBudgets.set(request.imageId, true);
    return { type: "overBudget" };
  }
  if (result.type === "heldByAnother") {
    if (result.refusal) throw refused(result.refusal);
    return { type: "heldByAnother" };
  }
  const { lease } = result;
  const renewing = setInterval(() => {
    // other processes must not wait for one that hangs
    if (performance.now() > deadline) clearInterval(renewing);
    else void ignoringFailure(RenderLease.renew(lease));
  }, RenderLease.RENEW_MS);
  renewing.unref();
  return {
    type: "acquired",
    async end(error) {
      clearInterval(renewing);
      if (error instanceof Refusal) {
        const { kind, code, detail } = error;
        await ignoringFailure(RenderLease.recordRefusal(lease, { kind, code, detail }));
      } else if (error !== undefined) await ignoringFailure(RenderLease.release(lease));
    },
  };
}

/** Ends with the error a lease that may still be being taken, or that another process may have. */
export async function endWhenAcquired(
  leasing: Promise<AcquireResult>,
  error: unknown,
): Promise<void> {
  const lease = await leasing.catch(() => undefined);
  if (lease?.type === "acquired") await lease.end(error);
}

/** undefined when the table fails, or does not answer in time. */
async function ignoringFailure<T>(work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const timeout = sleep(TABLE_TIMEOUT_MS, undefined, { signal: done.signal }).then(() => {
    throw new Error(`No response from the table within ${TABLE_TIMEOUT_MS} ms`);
  });
  timeout.catch(() => {});
  try {
    return await Promise.race([work, timeout]);
  } catch (error) {
    work.catch(() => {});
    console.error({ message: "An image is rendered without a lease", error });
    return undefined;
  } finally {
    done.abort();
  }
}

const refused = ({ kind, code, detail }: RenderLease.Refusal) =>
  new Refusal(kind as Kind, code, detail);
