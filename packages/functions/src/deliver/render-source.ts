import * as Bucket from "@balde/core/bucket";
import { VisibleError } from "@balde/core/error";
import * as ObjectKey from "@balde/core/object-key";
import * as Ladder from "@balde/imaging/ladder";
import type { Plan } from "@balde/imaging/plan";

import type { Picture } from "./image-cache.ts";

/** What a picture is made from, and the size of that. */
export type Source = { bytes: Buffer; from: Plan["source"] };

/** The rung, or the original when there is none or it has not been stored. */
export async function read({ picture, plan }: { picture: Picture; plan: Plan }): Promise<Source> {
  const { id, rev, source, rungs } = picture;
  const rung = Ladder.choose(plan, source, rungs);
  const small = rung && (await Bucket.read(ObjectKey.rung(id, rev, rung)));
  if (small) return { bytes: small, from: { width: rung.width, height: rung.height } };
  const bytes = await Bucket.read(ObjectKey.original(id, rev));
  if (!bytes) throw gone(id);
  return { bytes, from: { width: source.width, height: source.height } };
}

const gone = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id}`);
