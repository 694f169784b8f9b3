// The package `range-parser` does not fit: it needs the size, which is not known when the range goes to S3, and it reads
// `bytes=1x-2` as 1-2.

/** Bytes from..to, both included; without `from` the last `to` bytes, without `to` everything from `from`. */
export type Range = { from?: number; to?: number };

/**
 * The range of bytes that a `Range` header names. undefined, which means the whole, for a header that is missing, invalid or
 * names several ranges: RFC 9110, section 14.2, allows a server to ignore it.
 */
export function parse(header: string | undefined): Range | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  return { ...(from !== "" && { from: Number(from) }), ...(to !== "" && { to: Number(to) }) };
}

/** The value of a `Range` header that names the range. */
export const print = ({ from, to }: Range): string => `bytes=${from ?? ""}-${to ?? ""}`;

/**
 * The bytes that a range names, all of them without a range; `bytes` is their number, `contentRange` the response header.
 *
 * @throws RangeNotSatisfiable if the range begins behind the last byte
 */
export function slice(data: Buffer, range: Range | undefined) {
  if (!range) return { body: data, bytes: data.length };
  const size = data.length;
  const first = range.from ?? Math.max(0, size - (range.to ?? 0));
  const last = range.from === undefined ? size - 1 : Math.min(size - 1, range.to ?? size - 1);
  if (first > last) throw new RangeNotSatisfiable(size);
  const body = data.subarray(first, last + 1);
  return { body, bytes: body.length, contentRange: `bytes ${first}-${last}/${size}` };
}

/** The range begins behind the last byte; `size` is the number of bytes that there are. */
export class RangeNotSatisfiable extends Error {
  override readonly name = "RangeNotSatisfiable";
  readonly size: number;

  constructor(size: number) {
    super(`The range starts after the last byte; the image has ${size} bytes`);
    this.size = size;
  }
}
