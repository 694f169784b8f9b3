import * as z from "zod/mini";

import * as ContentType from "./content-type.ts";
import { ImageId } from "./id.schema.ts";
import type { Rung } from "./image.schema.ts";

// The keys of all objects in the bucket. infra's lifecycle rules and permissions name the same prefixes.

/** Bytes as they were uploaded; nothing is checked yet. */
export const upload = (id: ImageId): string => `uploads/${id}`;

/** Accepted bytes, which are never overwritten. `rev` is the start of their SHA-256. */
export const original = (id: ImageId, rev: string): string => `${originalsPrefix(id)}${rev}`;

/** The prefix of the originals of all revisions. */
export const originalsPrefix = (id: ImageId): string => `originals/${id}/`;

/** A smaller copy of the original, to render from. Of an image that is a thousand times as high as wide, all are one pixel wide. */
export const rung = (
  id: ImageId,
  rev: string,
  { width, height, type }: Pick<Rung, "width" | "height" | "type">,
): string => `${rungsPrefix(id, rev)}${width}x${height}.${type === "image/png" ? "png" : "jpg"}`;

/** The prefix of all rungs of one revision. */
export const rungsPrefix = (id: ImageId, rev: string): string => `${ladderPrefix(id)}${rev}/`;

/** The prefix of the rungs of all revisions. */
export const ladderPrefix = (id: ImageId): string => `ladder/${id}/`;

/** A rendered image. `file` is the hash of its plan and an extension. */
export const derivative = (id: ImageId, rev: string, file: string): string =>
  `${derivativesPrefix(id)}${rev}/${file}`;

/** A copy of a derivative, under the hash of the request that it was rendered for: it is found while the image is still looked up. */
export const derivativeByRequest = (id: ImageId, hash: string): string =>
  `${derivativesPrefix(id)}by-request/${hash}`;

/** The prefix of all derivatives. */
export const derivativesPrefix = (id: ImageId): string => `derived/${id}/`;

/** The copy under the image's name, for the route that needs no function. */
export const namedCopy = (name: string): string => `images/${name}`;

/** The prefixes of all objects of an image that was accepted, but for the copy under its name. */
export const imagePrefixes = (id: ImageId): string[] => [
  originalsPrefix(id),
  ladderPrefix(id),
  derivativesPrefix(id),
];

/** The image that an upload's key names; undefined for any other key. */
export function parseUploadKey(key: string): ImageId | undefined {
  const [folder, id, ...rest] = key.split("/");
  if (folder !== "uploads" || rest.length > 0) return undefined;
  const parsed = z.safeParse(ImageId, id);
  return parsed.success ? parsed.data : undefined;
}

/** Where `PUT /s3` stores an upload; the rest of the key is owner, content type, `name` and the name (infra/s3-put-route.ts). */
const NAMED_UPLOADS = "uploads/named/";

/** What the key of an upload through `PUT /s3` says; undefined for any other key. The name is not checked. */
export function parseNamedUploadKey(
  key: string,
): { ownerId: string; type: string; name: string } | undefined {
  if (!key.startsWith(NAMED_UPLOADS)) return undefined;
  const [ownerId, type, subtype, mark, ...name] = key.slice(NAMED_UPLOADS.length).split("/");
  if (!ownerId || !subtype || mark !== "name" || name.length === 0) return undefined;
  return {
    ownerId,
    type: ContentType.parse(`${type}/${subtype}`) ?? `${type}/${subtype}`,
    name: name.join("/"),
  };
}
