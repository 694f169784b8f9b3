import { formats } from "@balde/imaging/format";

import type { Delivery } from "./delivery.ts";
import * as DerivativeStore from "./derivative-store.ts";
import type { Lease } from "./lease.ts";

export type DeferredStore = {
  /** To be called when a response was sent. Resolves when the derivative is stored, or cannot be. */
  store: () => Promise<void>;
  /** Resolves when the derivative is stored, or cannot be. */
  stored: Promise<void>;
};

/** After the image is rendered. Other processes wait for the stored derivative, and must not wait for a client that reads slowly. */
const MAX_STORE_DELAY_MS = 500;

/** Stores the derivative when a response was sent, which storing would delay, or else half a second after the image is rendered. */
export function create(
  delivery: Pick<Delivery, "key" | "byRequest" | "plan">,
  whole: Promise<Buffer>,
  lease: Lease,
): DeferredStore {
  const { key, plan } = delivery;
  const responseSent = Promise.withResolvers<void>();
  const stored = storeWhenSent();
  return {
    stored,
    store() {
      responseSent.resolve();
      return stored;
    },
  };

  async function storeWhenSent() {
    try {
      const data = await whole;
      const latest = setTimeout(responseSent.resolve, MAX_STORE_DELAY_MS).unref();
      await responseSent.promise;
      clearTimeout(latest);
      const type = formats[plan.encoding.format].contentType;
      await DerivativeStore.put(delivery, data, { type });
      await lease.end();
    } catch (error) {
      console.error({ message: "A rendered image was not stored", key, error });
      await lease.end(error);
    }
  }
}
