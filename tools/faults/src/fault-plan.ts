import type { Call, Service } from "./aws-call.ts";
import type { Fault, Kind } from "./fault.ts";
import { pick, seededRandom } from "./random.ts";

/** Which calls: those that fit everything that is given. `action` and `key` as text must be equal. */
export type Match = { service?: Service; action?: string | RegExp; key?: string | RegExp };

/** The rate is from 0 to 1; `kinds` are those to choose from. */
export type RandomFaults = Match & { seed: number; rate: number; kinds: readonly Kind[] };

export type FaultPlan = ReturnType<typeof createFaultPlan>;

/** Decides which calls fail: the n-th call of some kind, or calls by chance. */
export function createFaultPlan() {
  let rules: ((call: Call) => Fault | undefined)[] = [];
  return {
    /**
     * The call number `n`, from 1, of those that match from now on fails, and so do its repeats (the same action on the same
     * key) until it has failed `times` times: three times make a caller give up that tries three times.
     */
    failNth(match: Match, n: number, fault: Fault, times = 1): void {
      let seen = 0;
      let failing: Call | undefined;
      let failed = 0;
      rules.push((call) => {
        if (!matches(call, match)) return undefined;
        seen += 1;
        if (seen === n) failing = call;
        if (!failing || !isSame(call, failing) || failed >= times) return undefined;
        failed += 1;
        return fault;
      });
    },
    failRandomly({ seed, rate, kinds, ...match }: RandomFaults): void {
      const random = seededRandom(seed);
      rules.push((call) => {
        if (!matches(call, match) || random() >= rate) return undefined;
        return { kind: pick(random, kinds), ms: Math.round(random() * 500) };
      });
    },
    /** From now on nothing fails. */
    clear(): void {
      rules = [];
    },
    /** The fault of this call, which every rule counts. */
    next(call: Call): Fault | undefined {
      const faults = rules.map((rule) => rule(call));
      return faults.find((fault) => fault !== undefined);
    },
  };
}

/** Whether a call is one of those that the match means. */
export const matches = (call: Call, { service, action, key }: Match): boolean =>
  (service === undefined || call.service === service) &&
  fits(call.action, action) &&
  fits(call.key, key);

const isSame = (one: Call, other: Call) =>
  one.service === other.service && one.action === other.action && one.key === other.key;

const fits = (text: string, pattern: string | RegExp | undefined) =>
  pattern === undefined || (typeof pattern === "string" ? text === pattern : pattern.test(text));
