/** Returns a switch that is not paused. Its `signal` aborts what runs when it is paused, and is another one after it was resumed. */
export function createPauseSwitch() {
  let running = new AbortController();
  let resumed: PromiseWithResolvers<void> | undefined;
  return {
    get signal() {
      return running.signal;
    },
    pause() {
      if (resumed) return;
      resumed = Promise.withResolvers<void>();
      running.abort(new DOMException("The upload is paused", "AbortError"));
    },
    resume() {
      if (!resumed) return;
      running = new AbortController();
      resumed.resolve();
      resumed = undefined;
    },
    /** Resolves as soon as it is not paused. @throws the signal's reason */
    async untilRunning(signal: AbortSignal): Promise<void> {
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort);
      try {
        while (resumed) await Promise.race([resumed.promise, aborted.promise]);
      } finally {
        signal.removeEventListener("abort", abort);
        aborted.promise.catch(() => {});
      }
    },
  };
}
