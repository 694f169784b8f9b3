import type { InvokeResult } from "../result.ts";

/**
 * Which events of a batch failed, by the identifiers given: all of them after an error and after an answer that
 * `ReportBatchItemFailures` cannot read, none when nothing is reported.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export function failedItems(
  result: InvokeResult,
  identifiers: string[],
  reports: boolean,
): Set<string> {
  const all = new Set(identifiers);
  if (result.kind !== "ok") return all;
  if (!reports) return new Set();
  const answer = parsed(result.payload);
  if (answer === null) return new Set();
  if (typeof answer !== "object") return all;
  const reported: unknown = (answer as { batchItemFailures?: unknown }).batchItemFailures;
  if (reported === undefined || reported === null) return new Set();
  if (!Array.isArray(reported)) return all;
  const failed = reported.map((item: { itemIdentifier?: unknown } | null) => item?.itemIdentifier);
  const isReadable = failed.every(
    (identifier) => typeof identifier === "string" && all.has(identifier),
  );
  return isReadable ? new Set(failed as string[]) : all;
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
