import { S3Error } from "./s3-error.ts";

type Matching = { kind: "eq" | "starts-with"; field: string; value: string; written: unknown };

type Condition = Matching | { kind: "content-length-range"; minimum: number; maximum: number };

export type PostPolicy = { expiration: number; conditions: Condition[] };

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html */
export function parse(encoded: string): PostPolicy {
  let policy: { expiration?: unknown; conditions?: unknown };
  try {
    policy = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    throw invalid("Invalid JSON.");
  }
  const expiration = Date.parse(String(policy?.expiration));
  if (Number.isNaN(expiration)) throw invalid("Invalid 'expiration' value");
  if (!Array.isArray(policy.conditions)) throw invalid("Policy missing conditions.");
  return { expiration, conditions: policy.conditions.flatMap(condition) };
}

/** Refuses a form with a field that no condition of the policy covers. */
export function demand(
  policy: PostPolicy,
  fields: Map<string, string>,
  bucket: string,
  now: number,
): void {
  if (now > policy.expiration) throw denied("Policy expired.");
  const values = new Map([...fields, ["bucket", bucket]]);
  for (const condition of policy.conditions)
    if (condition.kind !== "content-length-range" && !holds(condition, values))
      throw denied(`Policy Condition failed: ${JSON.stringify(condition.written)}`);
  const covered = new Set(
    policy.conditions.map((condition) => "field" in condition && condition.field),
  );
  const extra = [...fields.keys()].filter((name) => !isExempt(name) && !covered.has(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(", ")}`);
}

/** The narrowest `content-length-range` of the policy. */
export function lengthRange({ conditions }: PostPolicy): { minimum: number; maximum: number } {
  const ranges = conditions.filter((condition) => condition.kind === "content-length-range");
  return {
    minimum: Math.max(0, ...ranges.map(({ minimum }) => minimum)),
    maximum: Math.min(Number.POSITIVE_INFINITY, ...ranges.map(({ maximum }) => maximum)),
  };
}

function condition(written: unknown): Condition[] {
  if (Array.isArray(written)) {
    const [operator, first, second] = written;
    const kind = String(operator).toLowerCase();
    if (kind === "content-length-range") {
      const [minimum, maximum] = [Number(first), Number(second)];
      if (Number.isInteger(minimum) && Number.isInteger(maximum))
        return [{ kind, minimum, maximum }];
    } else if (
      (kind === "eq" || kind === "starts-with") &&
      typeof first === "string" &&
      first.startsWith("$") &&
      typeof second === "string"
    )
      return [{ kind, field: first.slice(1).toLowerCase(), value: second, written }];
  } else if (typeof written === "object" && written !== null)
    return Object.entries(written).map(([field, value]) => ({
      kind: "eq",
      field: field.toLowerCase(),
      value: String(value),
      written: ["eq", `$${field}`, value],
    }));
  throw invalid("Invalid Simple-Condition or Operation.");
}

function holds({ kind, field, value }: Matching, values: Map<string, string>): boolean {
  const actual = values.get(field) ?? "";
  if (kind === "eq") return actual === value;
  // each type of a comma-separated list must match
  const parts = field === "content-type" ? actual.split(",") : [actual];
  return parts.every((part) => part.trim().startsWith(value));
}

const isExempt = (name: string) =>
  ["policy", "x-amz-signature", "file", "bucket"].includes(name) || name.startsWith("x-ignore-");

const denied = (why: string) => new S3Error("AccessDenied", `Invalid according to Policy: ${why}`);

const invalid = (why: string) => new S3Error("InvalidPolicyDocument", `Invalid Policy: ${why}`);
