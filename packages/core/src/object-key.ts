import * as z from "zod/mini";

import { ImageId } from "./id.schema.ts";
import type { Rung } from "./image.schema.ts";

// where things are in the bucket; infra's lifecycle rules and grants speak of the same prefixes

/** Bytes as received, untrusted. */
export const upload = (id: ImageId) => `uploads/${id}`;
/** Accepted bytes, never overwritten. */
export const original = (id: ImageId, rev: string) => `originals/${id}/${rev}`;
export const rung = (id: ImageId, rev: string, { width, type }: Pick<Rung, "width" | "type">) =>
  `ladder/${id}/${rev}/${width}.${type === "image/png" ? "png" : "jpg"}`;
/** Where all rungs of one revision are. */
export const rungs = (id: ImageId, rev: string) => `ladder/${id}/${rev}/`;
/** A delivered picture; `file` is the hash of its plan and an extension. */
export const derived = (id: ImageId, rev: string, file: string) => `derived/${id}/${rev}/${file}`;
/** Where everything is that was rendered of one revision. */
export const allDerived = (id: ImageId, rev: string) => `derived/${id}/${rev}/`;
/** Published under a plain name for the route that needs no function. */
export const named = (name: string) => `images/${name}`;

/** Everything that belongs to an image by its id, once it has been accepted. */
export const prefixes = (id: ImageId) => [`originals/${id}/`, `ladder/${id}/`, `derived/${id}/`];

/** Whose upload a key is; undefined for every other key. */
export function uploader(key: string): ImageId | undefined {
  const [folder, id, ...rest] = key.split("/");
  if (folder !== "uploads" || rest.length > 0) return undefined;
  const parsed = z.safeParse(ImageId, id);
  return parsed.success ? parsed.data : undefined;
}

/** Where `PUT /s3` puts what is sent under a name: whose, as what and which name stands in the key (infra/s3-put-route.ts). */
const NAMED = "uploads/named/";

/** What the key of a named upload says; undefined for every other key. */
export function sent(key: string): { ownerId: string; type: string; name: string } | undefined {
  if (!key.startsWith(NAMED)) return undefined;
  const [ownerId, kind, subtype, ...name] = key.slice(NAMED.length).split("/");
  if (!ownerId || !subtype || name.length === 0) return undefined;
  return { ownerId, type: `${kind}/${subtype}`, name: name.join("/") };
}
