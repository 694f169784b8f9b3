import { isDeepStrictEqual } from "node:util";

import type { Fact } from "./case.ts";

/** What `$sameAs` points into, and the time for `$nowWithin`. */
export type World = { document: unknown; now: number };

/** What is wrong with a value, or nothing. */
export function complaint(actual: unknown, fact: Fact, world: World): string | undefined {
  const isRule = typeof fact === "object" && fact !== null && !Array.isArray(fact);
  const [rule, wanted] = isRule ? (Object.entries(fact)[0] ?? []) : [];
  if (rule === undefined || !rule.startsWith("$"))
    return isDeepStrictEqual(actual, fact) ? undefined : `is not ${show(fact)}`;
  return rules[rule]!(actual, wanted as never, world)
    ? undefined
    : `is not ${rule} ${show(wanted)}`;
}

type Rule = (actual: unknown, wanted: never, world: World) => boolean;

const rules: Record<string, Rule> = {
  $matches: (actual, wanted: string) =>
    typeof actual === "string" && new RegExp(wanted).test(actual),
  $startsWith: (actual, wanted: string) => typeof actual === "string" && actual.startsWith(wanted),
  $contains: (actual, wanted: string) => typeof actual === "string" && actual.includes(wanted),
  $absent: (actual) => actual === undefined,
  $present: (actual) => actual !== undefined && actual !== null && actual !== "",
  $descending: (actual, wanted: number) =>
    Array.isArray(actual) &&
    actual.length === wanted &&
    actual.every((text, i) => typeof text === "string" && (i === 0 || text < actual[i - 1])),
  $oneOf: (actual, wanted: unknown[]) => wanted.some((each) => isDeepStrictEqual(actual, each)),
  $keys: (actual, wanted: string[]) =>
    typeof actual === "object" &&
    actual !== null &&
    isDeepStrictEqual(Object.keys(actual).toSorted(), wanted.toSorted()),
  $sameAs: (actual, wanted: string, { document }) => actual === at(document, wanted),
  $nowWithin: (actual, wanted: number, { now }) =>
    typeof actual === "number" && Math.abs(now - actual) <= wanted * 1000,
};

/** Everything that a pointer points at in which `*` stands for each item of a list. */
export function every(document: unknown, pointer: string): unknown[] {
  const [head = "", ...tails] = pointer.split("/*");
  const found = at(document, head);
  if (tails.length === 0) return [found];
  return Array.isArray(found) ? found.flatMap((item) => every(item, tails.join("/*"))) : [];
}

/** What an RFC 6901 pointer points at. */
export function at(document: unknown, pointer: string): unknown {
  let value = document;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

export const show = (value: unknown) => {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
};
