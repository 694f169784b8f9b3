import type { Cursor, Version } from "./store.ts";

export type Entry = { version: Version } | { commonPrefix: string };

export type Page = { entries: Entry[]; next?: Cursor | undefined };

/** One page of the results of `step`, in the order of UTF-8 bytes; keys with the same prefix up to the delimiter are one entry. */
export function walk(
  { prefix, delimiter, limit }: { prefix: string; delimiter: string | undefined; limit: number },
  from: Cursor,
  step: (cursor: Cursor) => Version | undefined,
  follow: (version: Version) => Cursor,
): Page {
  const entries: Entry[] = [];
  let cursor: Cursor | undefined =
    Buffer.compare(Buffer.from(from.key), Buffer.from(prefix)) < 0 ? { key: prefix } : from;
  while (cursor) {
    const version = step(cursor);
    if (!version?.key.startsWith(prefix)) return { entries };
    if (entries.length === limit) return { entries, next: limit > 0 ? cursor : undefined };
    const commonPrefix = commonPrefixOf(version.key, prefix, delimiter);
    entries.push(commonPrefix === undefined ? { version } : { commonPrefix });
    cursor = commonPrefix === undefined ? follow(version) : past(commonPrefix);
  }
  return { entries };
}

export function commonPrefixOf(key: string, prefix: string, delimiter: string | undefined) {
  const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
  return end < 0 ? undefined : key.slice(0, end + delimiter!.length);
}

/** The smallest text that is greater than every text with this prefix; undefined if the prefix consists only of the last character. */
export function past(prefix: string): Cursor | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0)!);
  while (points.at(-1) === 0x10ffff) points.pop();
  if (points.length === 0) return undefined;
  const last = points.pop()! + 1;
  // surrogates are not characters
  return { key: String.fromCodePoint(...points, last === 0xd800 ? 0xe000 : last) };
}
