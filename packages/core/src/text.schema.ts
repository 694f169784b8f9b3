import * as z from "zod/mini";

/** How many UTF-16 units the longest decomposition of one unit has. */
const MAX_DECOMPOSITION = 4;

/**
 * Converts to NFC, so that texts that look alike are equal: a file name of macOS and a text typed elsewhere differ in it. The
 * time for a text of combining marks is quadratic, so a text that is too long in any form stays as it is and fails the length
 * check that has to follow.
 */
export const nfc = (maxCharacters: number) =>
  z.overwrite((text: string) =>
    text.length > maxCharacters * MAX_DECOMPOSITION ? text : text.normalize("NFC"),
  );

/** A number of bytes for people, such as `4.29 MiB`. */
export const mebibytes = (bytes: number): string =>
  `${(Math.floor((bytes / 2 ** 20) * 100) / 100).toLocaleString("en-US")} MiB`;

/** The length of an image's unique name, which is ASCII. */
export const MAX_NAME = 128;

/** In UTF-16 units, as JavaScript counts. */
export const MAX_FILE_NAME = 255;

/**
 * The file name that is stored for any text, without its folders: in NFC, without control and bidirectional formatting
 * characters, cut between two characters as a reader sees them. Empty if nothing is left.
 */
export function cleanFileName(text: string): string {
  const base = text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf("\\")) + 1);
  const visible = base
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\uFEFF]/gu, "")
    .slice(0, MAX_FILE_NAME * MAX_DECOMPOSITION)
    .replaceAll(/\p{Cs}/gu, "");
  const name = cut(visible.normalize("NFC").trim()).trim();
  return /^[.\s]*$/.test(name) ? "" : name;
}

/** The first `MAX_FILE_NAME` units, without a part of a character. Of one character that is longer than that, as much as fits. */
function cut(text: string): string {
  if (text.length <= MAX_FILE_NAME) return text;
  const end = new Intl.Segmenter().segment(text).containing(MAX_FILE_NAME)!.index;
  return text.slice(0, end || MAX_FILE_NAME).replaceAll(/\p{Cs}/gu, "");
}

/** The name of an image's file on the owner's device: any text is accepted, and cleaned. Not unique, and no part of any key. */
export const FileName = z.string().check(z.overwrite(cleanFileName));
