import * as EntityTag from "./entity-tag.ts";

/** Bytes from..to, both counted; without `from` the last `to` bytes, without `to` everything from `from`. */
export type Range = { from?: number; to?: number };

/** One range of bytes; undefined, which means the whole, for every other `Range` (RFC 9110 §14.2 lets a server) and when `If-Range` speaks of other bytes. */
export function read(
  range: string | undefined,
  ifRange: string | undefined,
  etag: string,
): Range | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  if (ifRange !== undefined && !EntityTag.isSame(etag, ifRange)) return undefined;
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  return { ...(from !== "" && { from: Number(from) }), ...(to !== "" && { to: Number(to) }) };
}

export const print = ({ from, to }: Range): string => `bytes=${from ?? ""}-${to ?? ""}`;

/** The part of bytes that are at hand. Throws `Outside` when there is none. */
export function part(data: Buffer, range: Range | undefined) {
  if (!range) return { body: data, bytes: data.length };
  const size = data.length;
  const first = range.from ?? Math.max(0, size - (range.to ?? 0));
  const last = range.from === undefined ? size - 1 : Math.min(size - 1, range.to ?? size - 1);
  if (first > last) throw outside(size);
  const body = data.subarray(first, last + 1);
  return { body, bytes: body.length, contentRange: `bytes ${first}-${last}/${size}` };
}

/** The range lies behind the last byte. */
export class Outside extends Error {
  override readonly name = "Outside";
  readonly size: number;

  constructor(size: number) {
    super(`The picture has ${size} bytes`);
    this.size = size;
  }
}

export const outside = (size: number) => new Outside(size);
