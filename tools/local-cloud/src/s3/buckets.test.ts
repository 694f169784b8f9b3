import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  type ListBucketsCommandInput,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bucket, bucketArn, region, smallGraph, startS3 } from "./s3.fixture.ts";

const graph = smallGraph(
  ["uploads", "derivatives", "deployments"].flatMap((name) => bucket(name)),
  {
    reader: [{ Effect: "Allow", Action: ["s3:GetObject", "s3:ListBucket"], Resource: "*" }],
    lister: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
  },
);
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => void (s3 = await startS3(graph)));
afterAll(() => s3.stop());

const list = (role: string, input: ListBucketsCommandInput = {}) =>
  s3.client(s3.role(role)).send(new ListBucketsCommand(input));

test("ListBuckets returns the buckets of the graph in the order of their names", async () => {
  const { Buckets, Owner, ContinuationToken } = await list("lister");
  expect(Buckets).toEqual(
    ["deployments", "derivatives", "uploads"].map((Name) => ({ Name, CreationDate: new Date(0) })),
  );
  expect(Owner).toEqual({ ID: "123456789012" });
  expect(ContinuationToken).toBeUndefined();
});

test("ListBuckets filters by prefix and region, and its pages continue after a token", async () => {
  const first = await list("lister", { Prefix: "de", MaxBuckets: 1 });
  expect(first).toMatchObject({
    Buckets: [{ Name: "deployments", BucketRegion: region }],
    Prefix: "de",
    ContinuationToken: expect.any(String),
  });
  const { ContinuationToken } = first;
  const second = await list("lister", { Prefix: "de", MaxBuckets: 1, ContinuationToken });
  expect(second.Buckets).toMatchObject([{ Name: "derivatives" }]);
  expect(second.ContinuationToken).toBeUndefined();
  expect((await list("lister", { BucketRegion: "us-east-1" })).Buckets ?? []).toEqual([]);
});

test.each([{ MaxBuckets: 0 }, { MaxBuckets: 10_001 }, { ContinuationToken: "?" }])(
  "ListBuckets refuses %j",
  async (input) => {
    await expect(list("lister", input)).rejects.toMatchObject({ name: "InvalidArgument" });
  },
);

test("ListBuckets needs s3:ListAllMyBuckets", async () => {
  await expect(list("reader")).rejects.toMatchObject({
    name: "AccessDenied",
    message: expect.stringContaining(
      "is not authorized to perform: s3:ListAllMyBuckets on resource: *",
    ),
  });
  const denial = { action: "s3:ListAllMyBuckets", resource: "*" };
  expect(s3.denials.at(-1)).toEqual({ principal: "reader", ...denial });
  expect((await fetch(s3.endpoint)).status).toBe(403);
  expect(s3.denials.at(-1)).toEqual({ principal: "anonymous", ...denial });
});

test("HeadBucket needs s3:ListBucket, and GetBucketLocation s3:GetBucketLocation", async () => {
  const forbidden = { $metadata: { httpStatusCode: 403 } };
  const Bucket = "uploads";
  const resource = bucketArn(Bucket);
  const [reader, lister] = ["reader", "lister"].map((role) => s3.client(s3.role(role)));
  await reader!.send(new HeadBucketCommand({ Bucket }));
  await expect(lister!.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject(forbidden);
  expect(s3.denials.at(-1)).toEqual({ principal: "lister", action: "s3:ListBucket", resource });
  const location = new GetBucketLocationCommand({ Bucket });
  expect((await s3.client().send(location)).LocationConstraint).toBe(region);
  await expect(reader!.send(location)).rejects.toMatchObject({
    name: "AccessDenied",
    ...forbidden,
  });
  expect(s3.denials.at(-1)).toEqual({
    principal: "reader",
    action: "s3:GetBucketLocation",
    resource,
  });
  expect((await fetch(`${s3.endpoint}/${Bucket}`, { method: "HEAD" })).status).toBe(403);
  expect((await fetch(`${s3.endpoint}/${Bucket}?location`)).status).toBe(403);
});

test("CreateBucket and DeleteBucket are refused, and the message says where buckets are changed", async () => {
  const refused = (operation: string) => ({
    name: "NotImplemented",
    $metadata: { httpStatusCode: 501 },
    message: `${operation} is not available: buckets come from the resource graph. Change them in infra/ and generate the graph again.`,
  });
  const client = s3.client();
  for (const Bucket of ["uploads", "elsewhere"]) {
    const CreateBucketConfiguration = { LocationConstraint: region } as const;
    await expect(
      client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration })),
    ).rejects.toMatchObject(refused("CreateBucket"));
    await expect(client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject(
      refused("DeleteBucket"),
    );
  }
  await client.send(new HeadBucketCommand({ Bucket: "uploads" }));
});
