import * as Bucket from "@balde/core/bucket";
import { VisibleError } from "@balde/core/error";
import * as ObjectKey from "@balde/core/object-key";
import * as Ladder from "@balde/imaging/ladder";
import type { Plan } from "@balde/imaging/plan";

import type { DeliverableImage } from "./image-cache.ts";

/** The bytes that an image is rendered from, and their size in pixels. */
export type RenderSource = { bytes: Buffer; from: Plan["source"] };

/**
 * The smallest rung that is large enough for the plan; the original when there is none, or when it is not stored. The
 * original of an SVG is never read: ingest has drawn it, and this process must not parse it.
 *
 * @throws image.not_found
 */
export async function read({
  image,
  plan,
}: {
  image: DeliverableImage;
  plan: Plan;
}): Promise<RenderSource> {
  const { id, rev, source, rungs } = image;
  const rung = Ladder.choose(plan, source, rungs);
  const small = rung && (await Bucket.read(ObjectKey.rung(id, rev, rung)));
  if (small) return { bytes: small, from: { width: rung.width, height: rung.height } };
  if (source.format === "svg") throw notFound(id);
  const bytes = await Bucket.read(ObjectKey.original(id, rev));
  if (!bytes) throw notFound(id);
  return { bytes, from: { width: source.width, height: source.height } };
}

const notFound = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id}`);
