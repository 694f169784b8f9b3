import * as RenderLease from "@balde/core/render-lease";
import { type Kind, Refusal } from "@balde/imaging/refusal";
import { setTimeout as sleep } from "node:timers/promises";

import type { Deadline } from "./deadline.ts";

// The right to make a picture while other processes wait for it: docs/adr/0020-one-render.md. The table is a help here and
// no condition: without it a picture is made once too often, and everybody has it.

export type Lease = {
  /** When the picture is stored; or with the reason why it will not be, which those who wait are told. */
  end(error?: unknown): Promise<void>;
};

/** Longer than a table that is well takes in a bad moment. */
const PATIENCE_MS = 2_000;

const spent = new Set<string>();
/** A hundred kilobytes. */
const MOST_SPENT = 1000;

/** Whether this process has seen that the budget of the image is spent. Then a new plan of it is likely to be refused, and nothing should be done for it before. */
export const isBudgetSpent = (imageId: RenderLease.LeaseRequest["imageId"]): boolean =>
  spent.has(imageId);

/** Throws what who had the lease was refused with. */
export async function take(
  wanted: RenderLease.LeaseRequest,
  until: Deadline,
): Promise<Lease | "held" | "spent"> {
  const taken = await patiently(RenderLease.acquire(wanted));
  if (!taken) return { end: async () => {} };
  if (taken.type === "budgetSpent") {
    if (spent.size >= MOST_SPENT) spent.clear();
    spent.add(wanted.imageId);
    return "spent";
  }
  if (taken.type === "heldByAnother") {
    if (taken.refusal) throw refused(taken.refusal);
    return "held";
  }
  const { lease } = taken;
  const renewing = setInterval(() => {
    // nobody is to wait for who hangs
    if (performance.now() > until) clearInterval(renewing);
    else void patiently(RenderLease.renew(lease));
  }, RenderLease.RENEW_MS);
  renewing.unref();
  return {
    async end(error) {
      clearInterval(renewing);
      if (error instanceof Refusal) {
        const { kind, code, detail } = error;
        await patiently(RenderLease.recordRefusal(lease, { kind, code, detail }));
      } else if (error !== undefined) await patiently(RenderLease.release(lease));
    },
  };
}

/** Ends a lease that may not have been taken yet, or by somebody else. */
export async function giveUp(taking: ReturnType<typeof take>, error: unknown): Promise<void> {
  const lease = await taking.catch(() => undefined);
  if (typeof lease === "object") await lease.end(error);
}

async function patiently<T>(work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: done.signal }).then(() => {
    throw new Error(`the table did not answer within ${PATIENCE_MS} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    work.catch(() => {});
    console.error({ message: "a picture is made without a lease", error });
    return undefined;
  } finally {
    done.abort();
  }
}

const refused = ({ kind, code, detail }: RenderLease.Refusal) =>
  new Refusal(kind as Kind, code, detail);
