import { join } from "node:path";

import * as Bucket from "@balde/core/bucket";
import { VisibleError } from "@balde/core/error";
import * as ObjectKey from "@balde/core/object-key";
import * as Format from "@balde/imaging/format";
import type { ImageBytes } from "@balde/imaging/image-bytes";
import * as Ladder from "@balde/imaging/ladder";
import type { Plan } from "@balde/imaging/plan";

import { download } from "../download.ts";
import * as TemporaryFolder from "../temporary-folder.ts";
import * as Deadline from "./deadline.ts";
import type { DeliverableImage } from "./image-cache.ts";

/** What an image is rendered from. */
export type RenderSource = {
  /** The bytes of a rung; the file of an original, which may be larger than the memory. */
  image: ImageBytes;
  /** In pixels. */
  from: Plan["source"];
  /** An original has the bytes that a stranger sent: it is decoded in the worker process only. */
  isOriginal: boolean;
  /** To be called when it is rendered, or will not be. */
  dispose(): Promise<void>;
};

type Planned = { image: DeliverableImage; plan: Plan };

/** Whether the plan is rendered from the original, unless a rung is missing. */
export const needsOriginal = ({ image, plan }: Planned): boolean =>
  Ladder.choose(plan, image.source, image.rungs) === undefined;

/**
 * The smallest rung that is large enough for the plan; the original when there is none, or when it is not stored. The
 * original of an image that is decoded only once is never read: this process cannot decode it, or must not. `notNeeded` ends the reading.
 *
 * @throws image.not_found
 * @throws AbortError if the original is not read when it is not needed any more
 * @throws TimeoutError if the original is not read at the deadline
 */
export async function read(
  { image, plan }: Planned,
  deadline: Deadline.Deadline,
  notNeeded?: AbortSignal,
): Promise<RenderSource> {
  const { id, rev, source, rungs } = image;
  const rung = Ladder.choose(plan, source, rungs);
  const small = rung && (await Bucket.read(ObjectKey.rung(id, rev, rung)));
  if (small) {
    const from = { width: rung.width, height: rung.height };
    return { image: small, from, isOriginal: false, dispose: async () => {} };
  }
  if (Format.isDecodedOnce(source.format)) throw notFound(id);
  const folder = await TemporaryFolder.create();
  const dispose = () => TemporaryFolder.remove(folder);
  const file = join(folder, "original");
  try {
    const late = Deadline.signal(deadline);
    const signal = notNeeded ? AbortSignal.any([late, notNeeded]) : late;
    if (!(await download(ObjectKey.original(id, rev), file, { signal }))) throw notFound(id);
  } catch (error) {
    await dispose();
    throw error;
  }
  const from = { width: source.width, height: source.height };
  return { image: file, from, isOriginal: true, dispose };
}

const notFound = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id}`);
