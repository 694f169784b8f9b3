import type { InvokeResult } from "../invoke-result.ts";

/**
 * Returns the identifiers of the events of a batch that failed: all of them after an error or after a result that is not
 * a valid report of `ReportBatchItemFailures`, none when the report is empty or is not asked for.
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
