import { StartError } from "../../start-error.ts";

/** Returns whether an event matches at least one pattern of an event source mapping. */
export type Filter = (event: unknown) => boolean;

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax */
export function filterOf(criteria: { filters?: { pattern?: string }[] } | undefined): Filter {
  const patterns = (criteria?.filters ?? []).map(({ pattern }) => JSON.parse(pattern ?? "{}"));
  for (const pattern of patterns) refuseUnknown(pattern);
  if (patterns.length === 0) return () => true;
  return (event) => patterns.some((pattern) => matches(pattern, event));
}

type Pattern = Record<string, unknown>;
type Rule = Record<string, unknown>;

function matches(pattern: Pattern, event: unknown): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === "$or") return (wanted as Pattern[]).some((one) => matches(one, event));
    const value = isObject(event) ? event[key] : undefined;
    if (!Array.isArray(wanted)) return matches(wanted as Pattern, value);
    // an array in the event matches if one of its elements does
    const values = Array.isArray(value) ? value : [value];
    return wanted.some((rule) => values.some((one) => satisfies(rule, one)));
  });
}

function satisfies(rule: unknown, value: unknown): boolean {
  if (!isObject(rule)) return value === rule;
  return Object.entries(rule).every(([name, operand]) => rules[name]!(operand, value));
}

const rules: Record<string, (operand: unknown, value: unknown) => boolean> = {
  exists: (operand, value) => (value !== undefined) === operand,
  prefix: (operand, value) => typeof value === "string" && value.startsWith(String(operand)),
  suffix: (operand, value) => typeof value === "string" && value.endsWith(String(operand)),
  "equals-ignore-case": (operand, value) =>
    typeof value === "string" && value.toLowerCase() === String(operand).toLowerCase(),
  "anything-but": (operand, value) =>
    value !== undefined && ![operand].flat().some((one) => satisfies(one, value)),
  numeric(operand, value) {
    const comparisons = operand as (string | number)[];
    const number = typeof value === "number" ? value : NaN;
    for (let at = 0; at < comparisons.length; at += 2)
      if (!compare[comparisons[at] as string]!(number, Number(comparisons[at + 1]))) return false;
    return true;
  },
};

const compare: Record<string, (a: number, b: number) => boolean> = {
  "=": (a, b) => a === b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function refuseUnknown(pattern: unknown): void {
  if (Array.isArray(pattern)) {
    for (const rule of pattern)
      for (const name of isObject(rule) ? Object.keys(rule) : [])
        if (!(name in rules)) throw new StartError(`The filter rule "${name}" is not emulated.`);
  } else if (isObject(pattern)) {
    for (const [key, inner] of Object.entries(pattern))
      if (key === "$or") (inner as unknown[]).forEach(refuseUnknown);
      else refuseUnknown(inner);
  }
}

const isObject = (value: unknown): value is Rule =>
  typeof value === "object" && value !== null && !Array.isArray(value);
