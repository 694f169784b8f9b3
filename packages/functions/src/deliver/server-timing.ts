/** How long the stages of a request took, for the `Server-Timing` header (https://www.w3.org/TR/server-timing/). */
export type Timing = {
  /** The work's result; its duration is noted under the stage's name. */
  measure<T>(stage: string, work: Promise<T>): Promise<T>;
  header(): string;
};

export function createTiming(now: () => number = () => performance.now()): Timing {
  const durations: [stage: string, ms: number][] = [];

  return {
    async measure(stage, work) {
      const start = now();
      try {
        return await work;
      } finally {
        durations.push([stage, now() - start]);
      }
    },
    header: () => durations.map(([stage, ms]) => `${stage};dur=${ms.toFixed(1)}`).join(", "),
  };
}
