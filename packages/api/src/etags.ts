import * as Etag from "@balde/http/etag";
import { hash } from "node:crypto";

/**
 * The ETag of an image as JSON is strong: `"{version}.{likes}"`. It changes whenever the response does. If-Match reads only
 * the version, because a like between reading and writing an image is not a lost update.
 */
type Tagged = { version: number; likes: number };

/** The ETag of an image as JSON. */
export const ofImage = (image: Tagged): string => `"${image.version}.${image.likes}"`;

/** The strong ETag of a text. */
export const ofText = (text: string): string =>
  `"${hash("sha256", text, "base64url").slice(0, 22)}"`;

/** The versions that `If-Match` accepts; "any" for `*`. A weak ETag (RFC 9110, section 13.1.1) and a number that is never a version name none. */
export function versions(ifMatch: string): number[] | "any" {
  const tags = Etag.parse(ifMatch);
  if (tags.includes("*")) return "any";
  return tags
    .flatMap((tag) => /^"(\d+)\.\d+"$/.exec(tag)?.[1] ?? [])
    .map(Number)
    .filter((version) => version > 0 && Number.isSafeInteger(version));
}
