import { BlockList, isIP } from "node:net";

/** `{ StringEquals: { "aws:SourceAccount": "…" } }` */
export type ConditionBlock = Record<string, Record<string, Scalar | Scalar[]>>;

/** The condition keys of a request and their values. */
export type RequestContext = Record<string, string | string[] | undefined>;

type Scalar = string | number | boolean;
type Comparison = (actual: string, expected: string) => boolean;

/** Returns whether every operator and every key of the block holds. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html */
export function holds(block: ConditionBlock | undefined, context: RequestContext): boolean {
  return Object.entries(block ?? {}).every(([name, keys]) => {
    const operator = getOperator(name);
    return Object.entries(keys).every(([key, expected]) =>
      operator.holds(lookup(context, key), expectations(expected, context)),
    );
  });
}

/** @throws for an operator that `holds` does not know. */
export function assertSupported(block: ConditionBlock | undefined, where: string): void {
  for (const name of Object.keys(block ?? {})) {
    try {
      getOperator(name);
    } catch (cause) {
      throw new Error(`${where}: ${(cause as Error).message}`, { cause });
    }
  }
}

/** Returns the pattern with the request's values for `${aws:key}`, undefined if the request lacks one, so that nothing matches. */
export function substituteVariables(pattern: string, context: RequestContext): string | undefined {
  if (!pattern.includes("${")) return pattern;
  let missing = false;
  const filled = pattern.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const [value] = lookup(context, name) ?? [];
    missing ||= value === undefined;
    return value ?? "";
  });
  return missing ? undefined : filled;
}

function expectations(expected: Scalar | Scalar[], context: RequestContext): string[] {
  return [expected]
    .flat()
    .map((value) => substituteVariables(String(value), context))
    .filter((value) => value !== undefined);
}

/** Compares condition keys without case. */
function lookup(context: RequestContext, key: string): string[] | undefined {
  const direct = context[key];
  if (direct !== undefined) return [direct].flat();
  const wanted = key.toLowerCase();
  for (const [name, value] of Object.entries(context))
    if (value !== undefined && name.toLowerCase() === wanted) return [value].flat();
  return undefined;
}

type Operator = { holds(actual: string[] | undefined, expected: string[]): boolean };

const operators = new Map<string, Operator>();

function getOperator(name: string): Operator {
  let operator = operators.get(name);
  if (!operator) operators.set(name, (operator = buildOperator(name)));
  return operator;
}

function buildOperator(name: string): Operator {
  if (name === "Null")
    return {
      holds: (actual, expected) =>
        expected.some((value) => (value.toLowerCase() === "true") === (actual === undefined)),
    };

  const [, prefix, base = "", ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(name) ?? [];
  const negative = comparisons[base] ? undefined : negatedOperators[base];
  const test = comparisons[negative ?? base];
  if (!test) throw new Error(`the condition operator "${name}" is not emulated`);

  // a negated operator holds when none of the policy's values matches: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
  const one = (actual: string, expected: string[]) =>
    expected.some((value) => test(actual, value)) !== Boolean(negative);

  return {
    holds(actual, expected) {
      if (actual === undefined) {
        if (prefix === "ForAnyValue") return false;
        return prefix === "ForAllValues" || Boolean(ifExists) || Boolean(negative);
      }
      return prefix === "ForAllValues" || (negative && !prefix)
        ? actual.every((value) => one(value, expected))
        : actual.some((value) => one(value, expected));
    },
  };
}

const compareNumbers =
  (compare: (a: number, b: number) => boolean): Comparison =>
  (actual, expected) =>
    compare(Number(actual), Number(expected));

const parseTime = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));

const compareDates =
  (compare: (a: number, b: number) => boolean): Comparison =>
  (actual, expected) =>
    compare(parseTime(actual), parseTime(expected));

const equal = (a: number, b: number) => a === b;
const less = (a: number, b: number) => a < b;
const atMost = (a: number, b: number) => a <= b;
const more = (a: number, b: number) => a > b;
const atLeast = (a: number, b: number) => a >= b;

const comparisons: Record<string, Comparison> = {
  StringEquals: (actual, expected) => actual === expected,
  StringEqualsIgnoreCase: (actual, expected) => actual.toLowerCase() === expected.toLowerCase(),
  StringLike: (actual, expected) => wildcardRegExp(expected).test(actual),
  ArnEquals: arnLike,
  ArnLike: arnLike,
  Bool: (actual, expected) => actual.toLowerCase() === expected.toLowerCase(),
  NumericEquals: compareNumbers(equal),
  NumericLessThan: compareNumbers(less),
  NumericLessThanEquals: compareNumbers(atMost),
  NumericGreaterThan: compareNumbers(more),
  NumericGreaterThanEquals: compareNumbers(atLeast),
  DateEquals: compareDates(equal),
  DateLessThan: compareDates(less),
  DateLessThanEquals: compareDates(atMost),
  DateGreaterThan: compareDates(more),
  DateGreaterThanEquals: compareDates(atLeast),
  IpAddress: inRange,
};

const negatedOperators: Record<string, string> = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
  NumericNotEquals: "NumericEquals",
  DateNotEquals: "DateEquals",
  NotIpAddress: "IpAddress",
};

/** Compares the six parts of an ARN one by one, so that `*` in one part does not match across a colon. */
function arnLike(actual: string, expected: string): boolean {
  const parts = (arn: string) => {
    const [partition, type, service, region, account, ...resource] = arn.split(":");
    return [partition, type, service, region, account, resource.join(":")];
  };
  const patterns = parts(expected);
  return parts(actual).every((part, at) => wildcardRegExp(patterns[at] ?? "").test(part ?? ""));
}

function inRange(actual: string, expected: string): boolean {
  const [address = "", bits] = expected.split("/");
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  const range = new BlockList();
  range.addSubnet(
    address,
    bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits),
    family,
  );
  return isIP(actual) !== 0 && range.check(actual, isIP(actual) === 6 ? "ipv6" : "ipv4");
}

/** Patterns come from the graph, so their number is bounded. */
const wildcardRegExps = new Map<string, RegExp>();

/** Returns a regular expression for a pattern in which `*` is any text and `?` any character, `/` and `:` included, as in IAM. */
export function wildcardRegExp(pattern: string, flags = ""): RegExp {
  const key = `${flags}/${pattern}`;
  let regexp = wildcardRegExps.get(key);
  if (!regexp) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll("*", "[^]*")
      .replaceAll("?", "[^]");
    wildcardRegExps.set(key, (regexp = new RegExp(`^${source}$`, flags)));
  }
  return regexp;
}
