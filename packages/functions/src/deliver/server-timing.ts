/** What an answer spent its time on, for the `Server-Timing` header (https://www.w3.org/TR/server-timing/). */
export type Timing = ReturnType<typeof createTiming>;

export function createTiming(now: () => number = () => performance.now()) {
  const spent: [stage: string, milliseconds: number][] = [];

  return {
    async of<T>(stage: string, work: Promise<T>): Promise<T> {
      const start = now();
      try {
        return await work;
      } finally {
        spent.push([stage, now() - start]);
      }
    },
    header: () =>
      spent.map(([stage, milliseconds]) => `${stage};dur=${milliseconds.toFixed(1)}`).join(", "),
  };
}
