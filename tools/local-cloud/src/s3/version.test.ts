import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";

import { bucket, smallGraph, startS3, versioned } from "./s3.fixture.ts";

const graph = smallGraph([...bucket("pictures", versioned), ...bucket("plain")]);
let s3: Awaited<ReturnType<typeof startS3>>;
beforeEach(async () => void (s3 = await startS3(graph)));
afterEach(() => s3.stop());

const Bucket = "pictures";
const Key = "k";
const put = async (Body: string, to = Bucket) =>
  (await s3.client().send(new PutObjectCommand({ Bucket: to, Key, Body }))).VersionId;
const get = async (VersionId?: string) => {
  const read = await s3.client().send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return read.Body!.transformToString();
};
const remove = (VersionId?: string) =>
  s3.client().send(new DeleteObjectCommand({ Bucket, Key, VersionId }));

test("every version of an object in a versioned bucket can be read", async () => {
  const [one, two] = [await put("one"), await put("two")];
  expect(one).not.toBe(two);
  expect(await get()).toBe("two");
  expect(await get(one)).toBe("one");
});

test("a deletion hides the key behind a delete marker, and deleting the marker restores it", async () => {
  const one = await put("one");
  const { DeleteMarker, VersionId } = await remove();
  expect(DeleteMarker).toBe(true);
  await expect(get()).rejects.toMatchObject({ name: "NoSuchKey" });
  const missing = await fetch(`${s3.endpoint}/${Bucket}/${Key}`);
  expect(missing.status).toBe(403);
  expect(await get(one)).toBe("one");
  await expect(get(VersionId)).rejects.toMatchObject({
    name: "MethodNotAllowed",
    $metadata: { httpStatusCode: 405 },
  });
  expect(await s3.client().send(new ListObjectsV2Command({ Bucket }))).toMatchObject({
    KeyCount: 0,
  });
  expect(await remove(VersionId)).toMatchObject({ DeleteMarker: true, VersionId });
  expect(await get()).toBe("one");
});

test("after the newest version is deleted, the one before is the current one", async () => {
  const [one, two] = [await put("one"), await put("two")];
  expect(await remove(two)).toMatchObject({ VersionId: two });
  expect(await get()).toBe("one");
  await remove(one);
  await expect(get()).rejects.toMatchObject({ name: "NoSuchKey" });
  await expect(get(one)).rejects.toMatchObject({ name: "NoSuchVersion" });
  await expect(get("junk")).rejects.toMatchObject({ name: "InvalidArgument" });
});

test("a create-only write succeeds over a delete marker", async () => {
  const create = () =>
    s3.client().send(new PutObjectCommand({ Bucket, Key, Body: "x", IfNoneMatch: "*" }));
  await create();
  await expect(create()).rejects.toMatchObject({ name: "PreconditionFailed" });
  await remove();
  await create();
});

test("a deletion with If-Match deletes only the object with that ETag", async () => {
  const { ETag } = await s3.client().send(new PutObjectCommand({ Bucket, Key, Body: "one" }));
  const removeIf = (IfMatch: string | undefined, name = Key) =>
    s3.client().send(new DeleteObjectCommand({ Bucket, Key: name, IfMatch }));
  await expect(removeIf('"other"')).rejects.toMatchObject({ name: "PreconditionFailed" });
  await expect(removeIf(ETag, "missing")).rejects.toMatchObject({ name: "NoSuchKey" });
  expect(await get()).toBe("one");
  await removeIf(ETag);
  await expect(get()).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("an old version can be copied to become the current one", async () => {
  const one = await put("one");
  await put("two");
  const copied = await s3
    .client()
    .send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${Key}?versionId=${one}` }));
  expect(copied.CopySourceVersionId).toBe(one);
  expect(await get()).toBe("one");
});

test("DeleteObjects deletes versions, or adds delete markers", async () => {
  const one = await put("one");
  const Delete = { Objects: [{ Key, VersionId: one }, { Key }], Quiet: false };
  const { Deleted } = await s3.client().send(new DeleteObjectsCommand({ Bucket, Delete }));
  expect(Deleted).toEqual([
    { Key, VersionId: one },
    { Key, DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) },
  ]);
});

test("the pages of ListObjectVersions have each version once, the newest of a key first", async () => {
  const client = s3.client();
  for (const key of ["a/1", "a/2", "b", "ü🙂"])
    for (const Body of ["one", "two"])
      await client.send(new PutObjectCommand({ Bucket, Key: key, Body }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: "b" }));
  const whole = await client.send(new ListObjectVersionsCommand({ Bucket }));
  expect(whole.Versions?.map(({ Key: key, IsLatest }) => [key, IsLatest])).toEqual([
    ["a/1", true],
    ["a/1", false],
    ["a/2", true],
    ["a/2", false],
    ["b", false],
    ["b", false],
    ["ü🙂", true],
    ["ü🙂", false],
  ]);
  expect(whole.DeleteMarkers).toMatchObject([{ Key: "b", IsLatest: true }]);

  const ids: string[] = [];
  let page: {
    NextKeyMarker?: string | undefined;
    NextVersionIdMarker?: string | undefined;
    IsTruncated?: boolean | undefined;
  } = {};
  do {
    const command = {
      Bucket,
      MaxKeys: 2,
      KeyMarker: page.NextKeyMarker,
      VersionIdMarker: page.NextVersionIdMarker,
    };
    const found = await client.send(new ListObjectVersionsCommand(command));
    ids.push(
      ...[...(found.Versions ?? []), ...(found.DeleteMarkers ?? [])].map(
        ({ VersionId }) => VersionId!,
      ),
    );
    page = found;
  } while (page.IsTruncated);
  const all = [...whole.Versions!, ...whole.DeleteMarkers!].map(({ VersionId }) => VersionId);
  expect(ids).toHaveLength(all.length);
  expect(new Set(ids)).toEqual(new Set(all));

  const grouped = await client.send(
    new ListObjectVersionsCommand({ Bucket, Delimiter: "/", MaxKeys: 1 }),
  );
  expect(grouped).toMatchObject({
    CommonPrefixes: [{ Prefix: "a/" }],
    IsTruncated: true,
    NextKeyMarker: "a/",
  });
  const rest = await client.send(
    new ListObjectVersionsCommand({ Bucket, Delimiter: "/", KeyMarker: "a/" }),
  );
  expect(rest.Versions?.map(({ Key: key }) => key)).toEqual(["b", "b", "ü🙂", "ü🙂"]);
});

test("each change sends one event, and the sequencers show the order", async () => {
  const one = await put("one");
  await put("two", "plain");
  await remove();
  await remove(one);
  expect(
    s3.events.map(
      ({
        eventName,
        s3: {
          bucket: { name },
          object,
        },
      }) => [eventName, name, object],
    ),
  ).toMatchObject([
    [
      "ObjectCreated:Put",
      "pictures",
      { key: "k", size: 3, eTag: "f97c5d29941bfb1b2fdab0874906ab82", versionId: one },
    ],
    ["ObjectCreated:Put", "plain", { key: "k", size: 3 }],
    ["ObjectRemoved:DeleteMarkerCreated", "pictures", { key: "k", versionId: expect.any(String) }],
    ["ObjectRemoved:Delete", "pictures", { key: "k", versionId: one }],
  ]);
  const sequencers = s3.events.map((event) => event.s3.object.sequencer);
  expect(sequencers.toSorted()).toEqual(sequencers);
  expect(new Set(sequencers).size).toBe(4);
  expect(s3.events[1]!.s3.object).not.toHaveProperty("versionId");
  expect(s3.events[2]!.s3.object).not.toHaveProperty("size");
});

test("an event has the bucket, time and principal, and its key is encoded as in a form", async () => {
  const key = "uploads/a b+c/ü&'(é)*.jpg";
  const { $metadata } = await s3
    .client()
    .send(new PutObjectCommand({ Bucket, Key: key, Body: "x" }));
  const [event] = s3.events;
  expect(event).toMatchObject({
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: "eu-central-1",
    requestParameters: { sourceIPAddress: "127.0.0.1" },
    responseElements: { "x-amz-request-id": $metadata.requestId },
    s3: {
      s3SchemaVersion: "1.0",
      bucket: {
        name: Bucket,
        arn: `arn:aws:s3:::${Bucket}`,
        ownerIdentity: { principalId: "123456789012" },
      },
    },
  });
  expect(Math.abs(Date.parse(event!.eventTime) - Date.now())).toBeLessThan(2000);
  const encoded = event!.s3.object.key;
  expect(encoded).toBe("uploads/a+b%2Bc/%C3%BC%26%27%28%C3%A9%29*.jpg");
  expect(decodeURIComponent(encoded.replaceAll("+", " "))).toBe(key);
});

test("HeadObject of a key behind a delete marker is 404 with x-amz-delete-marker", async () => {
  await put("one");
  await remove();
  await expect(s3.client().send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
    name: "NotFound",
    $response: { headers: { "x-amz-delete-marker": "true" } },
  });
});
