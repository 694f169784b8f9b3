import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { bucket, smallGraph, startS3, versioned } from "./s3.fixture.ts";
import { parseGraph } from "../graph/resource-graph.ts";

const DAY = 24 * 60 * 60 * 1000;
const rules = [
  { id: "uploads", status: "Enabled", filter: { prefix: "uploads/" }, expiration: { days: 1 } },
  { id: "off", status: "Disabled", filter: { prefix: "" }, expiration: { days: 1 } },
  {
    id: "leftovers",
    status: "Enabled",
    filter: { prefix: "" },
    expiration: { expiredObjectDeleteMarker: true },
    noncurrentVersionExpiration: { noncurrentDays: 2 },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
  },
];
const BucketLifecycleConfiguration = { rules };
const keepTwo = [
  {
    id: "history",
    status: "Enabled",
    filter: { prefix: "" },
    noncurrentVersionExpiration: { noncurrentDays: 2, newerNoncurrentVersions: 2 },
  },
  {
    id: "uploads",
    status: "Enabled",
    filter: { prefix: "uploads/" },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
  },
];
const graph = smallGraph([
  ...bucket("plain", { BucketLifecycleConfiguration }),
  ...bucket("kept", { ...versioned, BucketLifecycleConfiguration }),
  ...bucket("history", { ...versioned, BucketLifecycleConfiguration: { rules: keepTwo } }),
]);
let s3: Awaited<ReturnType<typeof startS3>>;
beforeEach(async () => void (s3 = await startS3(graph)));
afterEach(() => s3.stop());

const put = (name: string, Key: string) =>
  s3.client().send(new PutObjectCommand({ Bucket: name, Key, Body: "x" }));
const client = () => s3.client();
const keys = async (name: string) => {
  const { Versions = [], DeleteMarkers = [] } = await client().send(
    new ListObjectVersionsCommand({ Bucket: name }),
  );
  return [...Versions.map(({ Key }) => Key), ...DeleteMarkers.map(({ Key }) => `${Key} (marker)`)];
};

test("an object under the prefix expires at the midnight after its days, not before, and sends an event", async () => {
  await put("plain", "uploads/a");
  await put("plain", "originals/a");
  const due = Math.ceil((s3.clock.now() + DAY) / DAY) * DAY;
  await s3.clock.advance(due - s3.clock.now() - 60_000);
  expect(await keys("plain")).toEqual(["originals/a", "uploads/a"]);
  await s3.clock.advance(2 * 60 * 60 * 1000);
  await vi.waitFor(async () => expect(await keys("plain")).toEqual(["originals/a"]));
  expect(s3.events.at(-1)).toMatchObject({
    eventName: "LifecycleExpiration:Delete",
    s3: { object: { key: "uploads/a" } },
  });
});

test("in a versioned bucket a delete marker is added first, then the version expires, then the marker", async () => {
  await put("kept", "uploads/a");
  await s3.clock.advance(2 * DAY);
  await vi.waitFor(async () =>
    expect(await keys("kept")).toEqual(["uploads/a", "uploads/a (marker)"]),
  );
  await s3.clock.advance(3 * DAY);
  await vi.waitFor(async () => expect(await keys("kept")).toEqual([]));
});

test("noncurrent versions expire after their days, counted from their successor; the current one stays", async () => {
  await put("kept", "k");
  await put("kept", "k");
  await s3.clock.advance(1.5 * DAY);
  expect(await keys("kept")).toEqual(["k", "k"]);
  await s3.clock.advance(2 * DAY);
  await vi.waitFor(async () => expect(await keys("kept")).toEqual(["k"]));
  await client().send(new DeleteObjectCommand({ Bucket: "kept", Key: "k" }));
});

test("as many noncurrent versions stay as the rule says, the newest", async () => {
  const versions = [];
  for (let count = 0; count < 5; count++) versions.push((await put("history", "k")).VersionId);
  await s3.clock.advance(4 * DAY);
  await vi.waitFor(async () => expect(await keys("history")).toHaveLength(3));
  const { Versions } = await client().send(new ListObjectVersionsCommand({ Bucket: "history" }));
  expect(Versions?.map(({ VersionId }) => VersionId)).toEqual(versions.slice(2).toReversed());
});

test("only incomplete uploads under the prefix are aborted", async () => {
  for (const Key of ["originals/a", "uploads/a"])
    await client().send(new CreateMultipartUploadCommand({ Bucket: "history", Key }));
  await s3.clock.advance(2 * DAY);
  await vi.waitFor(async () => {
    const { Uploads } = await client().send(new ListMultipartUploadsCommand({ Bucket: "history" }));
    expect(Uploads?.map(({ Key }) => Key)).toEqual(["originals/a"]);
  });
});

test("incomplete uploads are aborted", async () => {
  await s3.client().send(new CreateMultipartUploadCommand({ Bucket: "plain", Key: "big" }));
  await s3.clock.advance(2 * DAY);
  await vi.waitFor(async () =>
    expect(
      (await client().send(new ListMultipartUploadsCommand({ Bucket: "plain" }))).Uploads,
    ).toBeUndefined(),
  );
});

test.each([
  ["a filter by tag", { filter: { tag: { key: "a", value: "b" } } }, "tag"],
  [
    "a filter by size",
    { filter: { and: { prefix: "a", objectSizeGreaterThan: 5 } } },
    "objectSizeGreaterThan",
  ],
  ["a transition", { transitions: [{ days: 1, storageClass: "GLACIER" }] }, "transitions"],
])("%s stops the start, and the error names it", (_, rule, name) => {
  const invalidRules = [{ id: "r", status: "Enabled", expiration: { days: 1 }, ...rule }];
  const unknown = smallGraph(
    bucket("b", { BucketLifecycleConfiguration: { rules: invalidRules } }),
  );
  expect(() => parseGraph(unknown)).toThrow(
    new RegExp(
      `^- bBucketLifecycleConfiguration .*: rules\\[0\\]\\.(filter\\.|filter\\.and\\.)?${name} = .* is not emulated$`,
      "m",
    ),
  );
});
