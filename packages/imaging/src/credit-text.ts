import * as Limits from "./limits.ts";

/** The names in an image's metadata: the only metadata of an original that a picture can carry, and only on request. */
export type Credit = { artist?: string; copyright?: string };

/** The text as one line of limited length. A zero byte ends a text; another text may follow. */
export function clean(text: string): string {
  const line = text
    .split("\0")
    .map((part) => part.replace(/[\p{C}\s\uFFFD]+/gu, " ").trim())
    .filter(Boolean)
    .join("; ");
  return Array.from(line).slice(0, Limits.MAX_CREDIT_CHARACTERS).join("").trim();
}

/**
 * Bytes without a declared encoding: UTF-8, which the standards name or tolerate, else Latin-1, which programs of the West
 * wrote. Empty where the bytes look like another encoding: its letters would be other letters.
 */
export function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(withoutCutCharacter(bytes));
  } catch {
    const text = bytes.toString("latin1");
    // Cyrillic, Greek, Chinese and Japanese have words of such letters; Latin-1 has no character in 80..9F
    return /[\x80-\x9f]|[\xa0-\xff]{3}/.test(text) ? "" : text;
  }
}

/** A text that is cut at a limit may end within a character of UTF-8. */
function withoutCutCharacter(bytes: Buffer): Buffer {
  const tail = bytes.subarray(-4);
  const start = tail.findLastIndex((byte) => byte >= 0xc0);
  if (start < 0 || tail.subarray(start + 1).some((byte) => byte < 0x80)) return bytes;
  const first = tail[start]!;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const isCut = tail.length - start < length && bytes.length >= 4 * Limits.MAX_CREDIT_CHARACTERS;
  return isCut ? bytes.subarray(0, bytes.length - tail.length + start) : bytes;
}
