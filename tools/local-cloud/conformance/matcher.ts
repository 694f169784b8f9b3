import { isDeepStrictEqual } from "node:util";

import type { Matcher } from "./case.ts";

/** What matchers may refer to: the document for `$sameAs`, the time in milliseconds for `$nowWithin`. */
export type MatchContext = { document: unknown; now: number };

/** Returns why a value does not match, or undefined if it does. */
export function mismatch(
  actual: unknown,
  matcher: Matcher,
  context: MatchContext,
): string | undefined {
  const isObject = typeof matcher === "object" && matcher !== null && !Array.isArray(matcher);
  const [operator, operand] = isObject ? (Object.entries(matcher)[0] ?? []) : [];
  if (operator === undefined || !operator.startsWith("$"))
    return isDeepStrictEqual(actual, matcher) ? undefined : `is not ${show(matcher)}`;
  return operators[operator]!(actual, operand as never, context)
    ? undefined
    : `is not ${operator} ${show(operand)}`;
}

type Operator = (actual: unknown, operand: never, context: MatchContext) => boolean;

const operators: Record<string, Operator> = {
  $matches: (actual, pattern: string) =>
    typeof actual === "string" && new RegExp(pattern).test(actual),
  $startsWith: (actual, prefix: string) => typeof actual === "string" && actual.startsWith(prefix),
  $contains: (actual, part: string) => typeof actual === "string" && actual.includes(part),
  $absent: (actual) => actual === undefined,
  $present: (actual) => actual !== undefined && actual !== null && actual !== "",
  $descending: (actual, length: number) =>
    Array.isArray(actual) &&
    actual.length === length &&
    actual.every((text, i) => typeof text === "string" && (i === 0 || text < actual[i - 1])),
  $oneOf: (actual, values: unknown[]) => values.some((value) => isDeepStrictEqual(actual, value)),
  $keys: (actual, keys: string[]) =>
    typeof actual === "object" &&
    actual !== null &&
    isDeepStrictEqual(Object.keys(actual).toSorted(), keys.toSorted()),
  $sameAs: (actual, pointer: string, { document }) => actual === valueAt(document, pointer),
  $nowWithin: (actual, seconds: number, { now }) =>
    typeof actual === "number" && Math.abs(now - actual) <= seconds * 1000,
};

/** Returns all values at a JSON pointer in which `*` is every item of a list. */
export function valuesAt(document: unknown, pointer: string): unknown[] {
  const [head = "", ...tails] = pointer.split("/*");
  const found = valueAt(document, head);
  if (tails.length === 0) return [found];
  return Array.isArray(found) ? found.flatMap((item) => valuesAt(item, tails.join("/*"))) : [];
}

/** Returns the value at a JSON pointer, or undefined. https://www.rfc-editor.org/rfc/rfc6901 */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Returns a value as JSON for a message, at most 300 characters. */
export const show = (value: unknown) => {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
};
