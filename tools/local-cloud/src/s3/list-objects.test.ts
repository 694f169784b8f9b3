import {
  ListObjectsCommand,
  type ListObjectsCommandInput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  assert,
  asyncProperty,
  constantFrom,
  integer,
  option,
  uniqueArray,
  string,
} from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bucket, smallGraph, startS3 } from "./s3.fixture.ts";
import { past } from "./list-page.ts";

const buckets = Array.from({ length: 40 }, (_, index) => `list-${index}`);
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(
  async () => void (s3 = await startS3(smallGraph(buckets.flatMap((name) => bucket(name))))),
);
afterAll(() => s3.stop());

async function fill(Bucket: string, keys: string[]) {
  for (const Key of keys) await s3.client().send(new PutObjectCommand({ Bucket, Key, Body: Key }));
}

async function listAll(input: ListObjectsV2CommandInput) {
  const [keys, prefixes]: [string[], string[]] = [[], []];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.client().send(new ListObjectsV2Command({ ...input, ContinuationToken }));
    expect(page.KeyCount).toBe((page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0));
    expect(page.KeyCount).toBeLessThanOrEqual(input.MaxKeys ?? 1000);
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!));
    ContinuationToken = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
  } while (ContinuationToken);
  return { keys, prefixes };
}

/** Continues as AWS's documentation of version 1 says: after NextMarker, or after the last key if there is none. */
async function listAllByMarker(input: ListObjectsCommandInput) {
  const [keys, prefixes]: [string[], string[]] = [[], []];
  let Marker: string | undefined;
  for (;;) {
    const page = await s3.client().send(new ListObjectsCommand({ ...input, Marker }));
    const { Contents = [], CommonPrefixes = [], NextMarker, IsTruncated } = page;
    expect(Contents.length + CommonPrefixes.length).toBeLessThanOrEqual(input.MaxKeys ?? 1000);
    keys.push(...Contents.map(({ Key }) => Key!));
    prefixes.push(...CommonPrefixes.map(({ Prefix }) => Prefix!));
    expect(NextMarker !== undefined).toBe(IsTruncated && input.Delimiter !== undefined);
    if (!IsTruncated) return { keys, prefixes };
    Marker = decoded(NextMarker ?? Contents.at(-1)!.Key!);
  }
}

const decoded = (key: string) => decodeURIComponent(key.replaceAll("+", " "));

const inBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

test("for any keys, prefix, delimiter and page size, both versions of the listing return each key or its common prefix once, in the order of UTF-8 bytes", async () => {
  const free = [...buckets];
  const piece = constantFrom(
    "a",
    "b",
    "/",
    "//",
    " ",
    "+",
    "%2F",
    "ü",
    "🙂",
    "￿",
    "\u{10ffff}",
    "<&>",
    "_",
    "%",
  );
  const key = uniqueArray(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(""));
  await assert(
    asyncProperty(
      uniqueArray(key, { maxLength: 12 }),
      string({ unit: constantFrom("a", "/", "ü"), maxLength: 2 }),
      option(constantFrom("/", "a", "//"), { nil: undefined }),
      integer({ min: 1, max: 4 }),
      async (keys, Prefix, Delimiter, MaxKeys) => {
        const Bucket = free.pop()!;
        await fill(Bucket, keys);
        const matching = keys.filter((one) => one.startsWith(Prefix)).toSorted(inBytes);
        const groupOf = (one: string) => {
          const end = Delimiter ? one.indexOf(Delimiter, Prefix.length) : -1;
          return end < 0 ? undefined : one.slice(0, end + Delimiter!.length);
        };
        const groups = new Set(matching.map(groupOf).filter((group) => group !== undefined));
        const expected = {
          keys: matching.filter((one) => groupOf(one) === undefined).map(encoded),
          prefixes: [...groups].map(encoded),
        };
        const input = { Bucket, Prefix, Delimiter, MaxKeys, EncodingType: "url" } as const;
        expect(await listAll(input)).toEqual(expected);
        expect(await listAllByMarker(input)).toEqual(expected);
      },
    ),
    { numRuns: 30 },
  );
});

/** Returns the key as a listing with EncodingType url writes it. */
const encoded = (key: string) =>
  encodeURIComponent(key).replaceAll("%2F", "/").replaceAll("%20", "+");

test("a listing starts after a key and describes each object", async () => {
  const Bucket = buckets[0]!;
  await fill(Bucket, ["x/1", "x/2", "x/3"]);
  const page = await s3
    .client()
    .send(new ListObjectsV2Command({ Bucket, Prefix: "x/", StartAfter: "x/1", MaxKeys: 1 }));
  expect(page).toMatchObject({
    Contents: [
      {
        Key: "x/2",
        Size: 3,
        StorageClass: "STANDARD",
        ETag: expect.stringMatching(/^"[\da-f]{32}"$/),
      },
    ],
    StartAfter: "x/1",
    IsTruncated: true,
  });
  expect(await s3.client().send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }))).toMatchObject({
    KeyCount: 0,
    IsTruncated: false,
  });
  await expect(
    s3.client().send(new ListObjectsV2Command({ Bucket, ContinuationToken: "?" })),
  ).rejects.toMatchObject({ name: "InvalidArgument" });
});

test("ListObjects version 1 starts after the marker and names the owner of each object", async () => {
  const Bucket = buckets[1]!;
  await fill(Bucket, ["a/1", "a/2", "b", "c"]);
  const list = (input: Partial<ListObjectsCommandInput>) =>
    s3.client().send(new ListObjectsCommand({ Bucket, ...input }));
  const first = await list({ Marker: "a/1", MaxKeys: 2 });
  expect(first).toMatchObject({
    Name: Bucket,
    Marker: "a/1",
    MaxKeys: 2,
    IsTruncated: true,
    Contents: [
      { Key: "a/2", Size: 3, StorageClass: "STANDARD", Owner: { ID: "123456789012" } },
      { Key: "b" },
    ],
  });
  expect(first.NextMarker).toBeUndefined();
  expect(await list({ Delimiter: "/", MaxKeys: 1 })).toMatchObject({
    CommonPrefixes: [{ Prefix: "a/" }],
    NextMarker: "a/",
    IsTruncated: true,
  });
  const rest = await list({ Delimiter: "/", Marker: "a/" });
  expect(rest.Contents?.map(({ Key }) => Key)).toEqual(["b", "c"]);
  expect(rest.CommonPrefixes).toBeUndefined();
  expect(await list({ MaxKeys: 0 })).toMatchObject({ IsTruncated: false });
  expect(await list({ MaxKeys: 1_001 })).toMatchObject({ MaxKeys: 1_000 });
});

test("past() is greater than every key with the prefix and does not start with it", () => {
  for (const prefix of ["a", "a/", "\u{d7ff}", "a\u{10ffff}"]) {
    const bound = Buffer.from(past(prefix)!.key);
    expect(Buffer.compare(bound, Buffer.from(`${prefix}\u{10ffff}\u{10ffff}`))).toBe(1);
    expect(bound.subarray(0, Buffer.byteLength(prefix)).equals(Buffer.from(prefix))).toBe(false);
  }
  expect(past("\u{d7ff}")).toEqual({ key: "\u{e000}" });
  expect(past("\u{10ffff}")).toBeUndefined();
});
