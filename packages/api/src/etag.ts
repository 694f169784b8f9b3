import { hash } from "node:crypto";

/**
 * A strong tag of an image as JSON: `"{version}.{likes}"`. It changes whenever the answer does; If-Match reads only the
 * version, because a like between somebody's reading and writing is no lost update.
 */
type Tagged = { version: number; likes: number };

export const of = (image: Tagged) => `"${image.version}.${image.likes}"`;

/** A strong tag of a text. */
export const ofText = (text: string) => `"${hash("sha256", text, "base64url").slice(0, 22)}"`;

export const isFresh = (image: Tagged, ifNoneMatch: string | undefined) =>
  isKnown(of(image), ifNoneMatch);

/** If-None-Match compares weakly (RFC 9110 §13.1.2): a CDN that compresses makes `W/"…"` of ours. */
export function isKnown(tag: string, ifNoneMatch: string | undefined) {
  const tags = list(ifNoneMatch).map((one) => one.replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(tag);
}

/** The versions that a writer says he has seen; "any" for `*`. A weak tag names none (RFC 9110 §13.1.1). */
export function versions(ifMatch: string): number[] | "any" {
  const tags = list(ifMatch);
  if (tags.includes("*")) return "any";
  return tags.flatMap((tag) => /^"(\d+)\.\d+"$/.exec(tag)?.[1] ?? []).map(Number);
}

const list = (header: string | undefined): string[] => header?.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
