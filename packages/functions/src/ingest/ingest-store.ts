import * as Bucket from "@balde/core/bucket";
import type * as Ingest from "@balde/core/ingest";
import * as ImageName from "@balde/core/image-name";
import * as ObjectKey from "@balde/core/object-key";
import type { Prepared } from "@balde/imaging/prepare";
import { Refusal } from "@balde/imaging/refusal";

/** Every key comes from the bytes, so to store twice is to store once. `sent` is what was uploaded; without it the original is there already. */
export async function store(
  image: Ingest.Image,
  prepared: Prepared,
  sent?: { key: string; eTag: string },
) {
  const { id } = image;
  const { rev, contentType, rungs } = prepared;
  await claim(image);
  // first, so that nothing is made of bytes that are no longer there
  if (sent && !(await Bucket.copy(sent, ObjectKey.original(id, rev), { type: contentType })))
    throw gone();
  await Promise.all([
    ...rungs.map(({ width, data, contentType }) => {
      const type = rungType(contentType);
      return Bucket.put(ObjectKey.rung(id, rev, { width, type }), data, { type });
    }),
    show(image, prepared),
  ]);
}

/** Under the image's name, where it may be shown. The row decides whose the name is; only its owner writes the object. */
export async function publish(image: Ingest.Image, prepared: Prepared) {
  await claim(image);
  await show(image, prepared);
}

async function claim(image: Ingest.Image) {
  const { name } = image;
  if (name && !(await ImageName.claim(name, image))) throw nameTaken(name);
}

async function show({ name }: Ingest.Image, { published }: Prepared) {
  if (!name || !published) return;
  await Bucket.put(ObjectKey.named(name), published.data, {
    type: published.contentType,
    // a name may be another picture's tomorrow
    cacheControl: "public, max-age=60",
  });
}

/** What is written down of it. */
export const found = (bytes: Buffer, prepared: Prepared): Ingest.Found => ({
  type: prepared.contentType,
  bytes: bytes.length,
  width: prepared.width,
  height: prepared.height,
  rev: prepared.rev,
  color: prepared.color,
  thumbhash: prepared.thumbhash,
  hasAlpha: prepared.hasAlpha,
  pages: prepared.pages,
  credit: prepared.credit,
  rungs: prepared.rungs.map(({ width, height, contentType, data }) => ({
    width,
    height,
    type: rungType(contentType),
    bytes: data.length,
  })),
});

const rungType = (contentType: string) =>
  contentType === "image/png" ? "image/png" : "image/jpeg";

export const gone = () =>
  new Refusal("unprocessable", "upload.gone", "The uploaded bytes were replaced or have expired");

const nameTaken = (name: string) =>
  new Refusal("unprocessable", "name.taken", `The name ${name} is another picture's by now`);
