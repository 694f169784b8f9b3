import type { Clock } from "../clock.ts";

export type QueueWaiters = {
  notify(queue: string): void;
  notifyAll(): void;
  listen(queue: string, listener: () => void): () => void;
  /** Resolves when something may have arrived, the time is up or the signal aborts. */
  wait(queue: string, clock: Clock, ms: number, signal?: AbortSignal): Promise<void>;
};

/** Who waits for which queue. Listeners run after the present turn, so after a synchronous transaction has been committed. */
export function createQueueWaiters(): QueueWaiters {
  const listeners = new Map<string, Set<() => void>>();
  const told = new Set<string>();
  const flush = () => {
    const queues = [...told];
    told.clear();
    for (const queue of queues) for (const listener of listeners.get(queue) ?? []) listener();
  };
  const tell = (queue: string) => {
    if (told.size === 0) setImmediate(flush);
    told.add(queue);
  };
  const listen = (queue: string, listener: () => void) => {
    const here = listeners.get(queue) ?? new Set();
    listeners.set(queue, here.add(listener));
    return () => void here.delete(listener);
  };

  return {
    notify: tell,
    listen,
    notifyAll: () => [...listeners.keys()].forEach(tell),
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
