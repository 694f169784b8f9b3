import { readFile } from "node:fs/promises";

import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import * as Bucket from "@balde/core/bucket";
import * as Dynamo from "@balde/core/dynamo";
import * as Image from "@balde/core/image";
import * as ImageRow from "@balde/core/image.row";
import * as ImageName from "@balde/core/image-name";
import * as Ingest from "@balde/core/ingest";
import * as ObjectKey from "@balde/core/object-key";
import * as Upload from "@balde/core/upload";
import { prepare } from "@balde/imaging/prepare";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as, pendingImage, readyImage } from "../../../core/test/samples.ts";
import { photo } from "../../../imaging/test/samples.ts";
import * as TemporaryFolder from "../temporary-folder.ts";
import { eraseImage } from "./erase-image.ts";
import * as ImageObjects from "./image-objects.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let bytes: Buffer;
beforeAll(async () => {
  cloud = await startCloud();
  bytes = await photo(700, 500).jpeg({ quality: 95 }).toBuffer();
});
afterAll(() => cloud.stop());

const type = "image/jpeg";
const rev = "0123456789ab";
const text = (content: string) => new TextEncoder().encode(content);

/** The keys of all objects with this in it, with old versions and delete markers. */
async function keys(part: string) {
  const { Versions = [], DeleteMarkers = [] } = await cloud.s3.send(
    new ListObjectVersionsCommand({ Bucket: cloud.bucket }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key }) => Key!).filter((key) => key.includes(part));
}

/** An image whose upload is in the bucket, with the object as S3's event describes it. */
async function uploaded(name: string) {
  const { id } = await as("ann", () => Upload.receive({ type, name, body: new Uint8Array(bytes) }));
  const { object } = (await cloud.eventOf(id)).Records[0].s3;
  const { eTag } = (await Bucket.head(ObjectKey.upload(id)))!;
  return { image: (await Image.findRow(id))!, object: { ...object, size: bytes.length, eTag } };
}

test("an upload becomes original, rungs and named copy, as often as it is stored", async () => {
  const { image, object } = await uploaded("stored.jpg");
  const prepared = await prepare(bytes, { namedCopy: true });
  await ImageObjects.store(image, prepared, object);
  await ImageObjects.store(image, prepared, object);
  const { id } = image;
  expect(new Set([...(await keys(id)), ...(await keys("stored.jpg"))])).toEqual(
    new Set([
      `uploads/${id}`,
      `originals/${id}/${prepared.rev}`,
      `ladder/${id}/${prepared.rev}/512x366.jpg`,
      "images/stored.jpg",
    ]),
  );
  // never overwritten: there is one version of it
  expect(await keys(`originals/${id}`)).toHaveLength(1);
  const original = await ImageObjects.withOriginal(
    { ...image, rev: prepared.rev },
    async (file, size) => [size, (await readFile(file)).equals(bytes)],
  );
  expect(original).toEqual([bytes.length, true]);
});

test("an upload is read in parts, and refused when it was replaced", async () => {
  const { object } = await uploaded("parts.jpg");
  const start = await ImageObjects.readStart(object, 4);
  expect(start).toEqual(bytes.subarray(0, 4));
  await TemporaryFolder.withFile(async (file) => {
    await ImageObjects.downloadUpload(object, file, start);
    expect((await readFile(file)).equals(bytes)).toBe(true);
    await ImageObjects.downloadUpload(object, file, bytes);
    expect((await readFile(file)).equals(bytes)).toBe(true);
    await Bucket.put(object.key, text("another"), { type });
    const gone = { name: "Refusal", code: "upload.gone" };
    await expect(ImageObjects.readStart(object, 4)).rejects.toMatchObject(gone);
    await expect(ImageObjects.downloadUpload(object, file, start)).rejects.toMatchObject(gone);
  });
});

test("nothing is stored when the upload is gone or the name is another image's", async () => {
  const { image, object } = await uploaded("lost.jpg");
  const prepared = await prepare(bytes, { namedCopy: true });
  await Bucket.removeAllVersions(object.key);
  await expect(ImageObjects.store(image, prepared, object)).rejects.toMatchObject({
    code: "upload.gone",
  });
  const other = await pendingImage({ name: "other.jpg" }, "bo");
  const thief = { ...image, name: "other.jpg" };
  const taken = { code: "name.taken" };
  await expect(ImageObjects.store(thief, prepared)).rejects.toMatchObject(taken);
  await expect(ImageObjects.storeNamedCopy(thief, prepared)).rejects.toMatchObject(taken);
  for (const part of [image.id, other.id, "lost.jpg", "other.jpg"])
    expect(await keys(part)).toEqual([]);
});

test("only the image that has a name removes the copy under it, or frees it", async () => {
  const { id } = await pendingImage({ name: "mine.jpg" });
  const image = (await Image.findRow(id))!;
  await Bucket.put(ObjectKey.namedCopy("mine.jpg"), text("copy"), {
    type,
    metadata: { image: id },
  });
  const stranger = { ...image, id: (await pendingImage()).id };
  await ImageObjects.removeNamedCopy(stranger);
  await ImageObjects.freeName(stranger);
  expect(await keys("mine.jpg")).toHaveLength(1);
  await expect(pendingImage({ name: "mine.jpg" }, "bo")).rejects.toMatchObject({
    code: "name.taken",
  });

  await ImageObjects.removeNamedCopy(image);
  expect(await keys("mine.jpg")).toEqual([]);
  await expect(pendingImage({ name: "mine.jpg" }, "bo")).rejects.toMatchObject({
    code: "name.taken",
  });
  await ImageObjects.freeName(image);
  await pendingImage({ name: "mine.jpg" }, "bo");
});

test("all revisions but one, all derivatives, and only one version of an upload are removed", async () => {
  const { id } = await pendingImage();
  const all = [rev, "aaaaaaaaaaaa"].flatMap((each) => [
    ObjectKey.original(id, each),
    ObjectKey.rung(id, each, { width: 512, height: 341, type }),
    ObjectKey.derivative(id, each, "plan.webp"),
    ObjectKey.derivativeByRequest(id, each),
  ]);
  for (const key of all) await Bucket.put(key, text(key), { type });
  await ImageObjects.removeDerivatives(id);
  expect(await keys(`derived/${id}`)).toEqual([]);
  await ImageObjects.removeOtherRevisions(id, rev);
  expect(new Set(await keys(id))).toEqual(new Set([all[0], all[1]]));

  const { object } = await uploaded("versions.jpg");
  await Bucket.put(object.key, text("a later upload"), { type });
  await ImageObjects.removeUpload({ ...object, versionId: undefined });
  expect(await keys(object.key)).toHaveLength(2);
  await ImageObjects.removeUpload(object);
  expect(String(await Bucket.read(object.key))).toBe("a later upload");
  expect(await keys(object.key)).toHaveLength(1);
});

test("of an erased image only a tombstone remains, and no object but those of others", async () => {
  const id = await readyImage({ name: "gone.jpg" });
  await ImageName.claim("gone.jpg", (await Image.findRow(id))!);
  const neighbour = ObjectKey.namedCopy("gone.jpg.bak");
  const all = [
    ObjectKey.upload(id),
    ObjectKey.original(id, rev),
    ObjectKey.rung(id, rev, { width: 512, height: 341, type }),
    ObjectKey.derivative(id, rev, "plan.webp"),
    ObjectKey.derivativeByRequest(id, "request"),
    ObjectKey.namedCopy("gone.jpg"),
    neighbour,
  ];
  for (const key of [...all, ...all])
    await Bucket.put(key, text(key), { type, metadata: { image: id } });

  // an image that is not deleted is left alone
  await eraseImage({ imageId: id });
  expect(await keys(id)).toHaveLength(10);
  await as("ann", () => Image.remove(id));
  await eraseImage({ imageId: id });
  await eraseImage({ imageId: id });
  expect(await keys(id)).toEqual([]);
  expect(new Set(await keys("images/gone"))).toEqual(new Set([neighbour]));
  expect(await Ingest.readRow(id)).toMatchObject({ state: "deleted", name: "gone.jpg" });
  await pendingImage({ name: "gone.jpg" }, "bo");
});

test("a copy that is stored after its image was erased is removed when the image is erased again", async () => {
  const { id } = await pendingImage({ name: "race.jpg" });
  await as("ann", () => Image.remove(id));
  await eraseImage({ imageId: id });
  await Bucket.put(ObjectKey.namedCopy("race.jpg"), text("late"), {
    type,
    metadata: { image: id },
  });
  await Bucket.put(ObjectKey.original(id, rev), text("late"), { type, createOnly: true });
  await eraseImage({ imageId: id });
  expect([...(await keys(id)), ...(await keys("race.jpg"))]).toEqual([]);
  await pendingImage({ name: "race.jpg" }, "bo");
});

test("a slow copy of a deleted image that lands after the name went to another image does not stay", async () => {
  const late = await readyImage({ name: "shared.jpg" });
  await as("ann", () => Image.remove(late));
  await eraseImage({ imageId: late });
  const next = await readyImage({ name: "shared.jpg" }, "bo");
  const key = ObjectKey.namedCopy("shared.jpg");
  await Bucket.put(key, text("of bo"), { type, metadata: { image: next } });
  await Bucket.put(key, text("of ann"), { type, metadata: { image: late } });

  // the process that stored it finds its image deleted, and erases it; if it was killed, the last command does
  await eraseImage({ imageId: late, isLast: true });
  expect(String(await Bucket.read(key))).toBe("of bo");
  expect(await keys("shared.jpg")).toHaveLength(1);
  await expect(pendingImage({ name: "shared.jpg" })).rejects.toMatchObject({ code: "name.taken" });
});

test("the last command removes the name from the tombstone, and one for a row that is gone erases by the name that it had", async () => {
  const id = await readyImage({ name: "last.jpg" });
  const copy = () =>
    Bucket.put(ObjectKey.namedCopy("last.jpg"), text("late"), { type, metadata: { image: id } });
  await copy();
  await as("ann", () => Image.remove(id));
  await eraseImage({ imageId: id });
  expect(await Ingest.readRow(id)).toMatchObject({ name: "last.jpg" });
  await eraseImage({ imageId: id, isLast: true });
  expect(await Ingest.readRow(id)).not.toHaveProperty("name");

  await Dynamo.remove({ key: ImageRow.key(id) });
  await copy();
  await eraseImage({ imageId: id, name: "last.jpg" });
  expect(await keys("last.jpg")).toEqual([]);
});
