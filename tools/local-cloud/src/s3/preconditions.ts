import type { Call } from "./types.ts";
import { S3Error, noSuchKey, notImplemented, preconditionFailed } from "./s3-error.ts";
import type { Version } from "./store.ts";

type Headers = Call["headers"];

/** Whether the response to a read is 304; throws 412 if a precondition fails. Precedence as in RFC 9110, section 13.2.2. */
export function isUnmodified(headers: Headers, version: Version, prefix = ""): boolean {
  const since = (name: string) => seconds(Date.parse(headers[`${prefix}${name}`] ?? ""));
  const modified = seconds(version.modified);
  const [ifMatch, ifNoneMatch] = [headers[`${prefix}if-match`], headers[`${prefix}if-none-match`]];
  if (ifMatch !== undefined) {
    if (!names(ifMatch, version)) throw preconditionFailed("If-Match");
  } else if (modified > since("if-unmodified-since"))
    throw preconditionFailed("If-Unmodified-Since");
  if (ifNoneMatch !== undefined) return names(ifNoneMatch, version);
  return modified <= since("if-modified-since");
}

/** The preconditions for the source of a copy: 412 where a read would be 304. */
export function demandSource(headers: Headers, version: Version): void {
  if (isUnmodified(headers, version, "x-amz-copy-source-"))
    throw preconditionFailed("x-amz-copy-source-If-None-Match");
}

/** Checks the preconditions of a write; to be called within the transaction that writes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
export function demandTarget(headers: Headers, key: string, current: Version | undefined): void {
  const existing = current?.marker ? undefined : current;
  const [ifMatch, ifNoneMatch] = [headers["if-match"], headers["if-none-match"]];
  if (ifNoneMatch !== undefined && ifMatch !== undefined)
    throw notImplemented("If-Match together with If-None-Match");
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*")
    throw notImplemented("If-None-Match other than *");
  if (ifNoneMatch !== undefined && existing) throw preconditionFailed("If-None-Match");
  if (ifMatch === undefined) return;
  if (!existing) throw noSuchKey(key);
  if (!names(ifMatch, existing)) throw preconditionFailed("If-Match");
}

export type Range = { start: number; end: number };

/** The part that `Range` names; undefined for the whole, also for headers that S3 ignores: another unit, or several ranges. */
export function rangeOf(header: string | undefined, size: number): Range | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(" ", "") ?? "") ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === "" && Number(last) === 0))
    throw new S3Error(
      "InvalidRange",
      "The requested range is not satisfiable",
      { RangeRequested: header!, ActualObjectSize: String(size) },
      { "content-range": `bytes */${size}` },
    );
  return { start, end };
}

const names = (header: string, { etag }: Version) =>
  header
    .split(",")
    .some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, "").replaceAll('"', "")));

/** The date in whole seconds, as HTTP dates have them; NaN for an invalid one, which compares as false with everything. */
const seconds = (ms: number) => Math.floor(ms / 1000);
