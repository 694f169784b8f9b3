import type { Clock } from "../clock.ts";

/** The pollers and event source mappings that wait for messages, by queue. */
export type QueueWaiters = {
  notify(queue: string): void;
  notifyAll(): void;
  listen(queue: string, listener: () => void): () => void;
  /** Resolves when a message may have arrived, `ms` have passed or the signal aborts. */
  wait(queue: string, clock: Clock, ms: number, signal?: AbortSignal): Promise<void>;
};

/** Listeners run after the current turn of the event loop: a synchronous transaction has been committed by then. */
export function createQueueWaiters(): QueueWaiters {
  const listeners = new Map<string, Set<() => void>>();
  const notified = new Set<string>();
  const flush = () => {
    const queues = [...notified];
    notified.clear();
    for (const queue of queues) for (const listener of listeners.get(queue) ?? []) listener();
  };
  const notify = (queue: string) => {
    if (notified.size === 0) setImmediate(flush);
    notified.add(queue);
  };
  const listen = (queue: string, listener: () => void) => {
    const ofQueue = listeners.get(queue) ?? new Set();
    listeners.set(queue, ofQueue.add(listener));
    return () => void ofQueue.delete(listener);
  };

  return {
    notify,
    listen,
    notifyAll: () => [...listeners.keys()].forEach(notify),
    async wait(queue, clock, ms, signal) {
      const arrived = new AbortController();
      const wake = () => arrived.abort();
      const stop = listen(queue, wake);
      signal?.addEventListener("abort", wake, { once: true });
      try {
        await clock.sleep(ms, arrived.signal);
      } catch (error) {
        if (!arrived.signal.aborted) throw error;
      } finally {
        stop();
        signal?.removeEventListener("abort", wake);
      }
    },
  };
}
