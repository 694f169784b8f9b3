import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bucket, smallGraph, startS3, versioned } from "./s3.fixture.ts";

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html

const Bucket = "pictures";
const Key = "k";
let VersionId = "";
let UploadId = "";
let parts: { PartNumber: number; ETag: string | undefined }[] = [];

const all: Record<string, [permission: string, (client: S3Client) => Promise<unknown>][]> = {
  GetObject: [
    ["s3:GetObject", (client) => client.send(new GetObjectCommand({ Bucket, Key }))],
    [
      "s3:GetObjectVersion",
      (client) => client.send(new GetObjectCommand({ Bucket, Key, VersionId })),
    ],
  ],
  HeadObject: [
    ["s3:GetObject", (client) => client.send(new HeadObjectCommand({ Bucket, Key }))],
    [
      "s3:GetObjectVersion",
      (client) => client.send(new HeadObjectCommand({ Bucket, Key, VersionId })),
    ],
  ],
  PutObject: [
    ["s3:PutObject", (client) => client.send(new PutObjectCommand({ Bucket, Key: "new" }))],
    [
      "s3:GetObject",
      (client) => client.send(new PutObjectCommand({ Bucket, Key: "k", IfMatch: "*" })),
    ],
  ],
  CopyObject: [
    ["s3:PutObject", (client) => client.send(copy(`${Bucket}/${Key}`))],
    ["s3:GetObject", (client) => client.send(copy(`${Bucket}/${Key}`))],
    [
      "s3:GetObjectVersion",
      (client) => client.send(copy(`${Bucket}/${Key}?versionId=${VersionId}`)),
    ],
  ],
  DeleteObject: [
    ["s3:DeleteObject", (client) => client.send(new DeleteObjectCommand({ Bucket, Key: "none" }))],
    [
      "s3:DeleteObjectVersion",
      (client) => client.send(new DeleteObjectCommand({ Bucket, Key: "none", VersionId: "null" })),
    ],
  ],
  DeleteObjects: [
    ["s3:DeleteObject", (client) => deleteMany(client, { Key: "none" })],
    ["s3:DeleteObjectVersion", (client) => deleteMany(client, { Key: "none", VersionId: "null" })],
  ],
  ListObjects: [["s3:ListBucket", (client) => client.send(new ListObjectsCommand({ Bucket }))]],
  ListObjectsV2: [["s3:ListBucket", (client) => client.send(new ListObjectsV2Command({ Bucket }))]],
  ListObjectVersions: [
    ["s3:ListBucketVersions", (client) => client.send(new ListObjectVersionsCommand({ Bucket }))],
  ],
  HeadBucket: [["s3:ListBucket", (client) => client.send(new HeadBucketCommand({ Bucket }))]],
  GetBucketLocation: [
    ["s3:GetBucketLocation", (client) => client.send(new GetBucketLocationCommand({ Bucket }))],
  ],
  CreateMultipartUpload: [
    [
      "s3:PutObject",
      (client) => client.send(new CreateMultipartUploadCommand({ Bucket, Key: "other" })),
    ],
  ],
  UploadPart: [
    [
      "s3:PutObject",
      (client) =>
        client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 2, Body: "x" })),
    ],
  ],
  ListParts: [
    [
      "s3:ListMultipartUploadParts",
      (client) => client.send(new ListPartsCommand({ Bucket, Key, UploadId })),
    ],
  ],
  ListMultipartUploads: [
    [
      "s3:ListBucketMultipartUploads",
      (client) => client.send(new ListMultipartUploadsCommand({ Bucket })),
    ],
  ],
  CompleteMultipartUpload: [
    [
      "s3:PutObject",
      (client) =>
        client.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            MultipartUpload: { Parts: parts },
          }),
        ),
    ],
  ],
  AbortMultipartUpload: [
    [
      "s3:AbortMultipartUpload",
      async (client) => {
        const upload = await s3
          .client()
          .send(new CreateMultipartUploadCommand({ Bucket, Key: "aborted" }));
        return client.send(
          new AbortMultipartUploadCommand({ Bucket, Key: "aborted", UploadId: upload.UploadId }),
        );
      },
    ],
  ],
};
const permissions = [
  ...new Set(
    Object.values(all)
      .flat()
      .map(([permission]) => permission),
  ),
];
const allow = { Effect: "Allow" as const, Action: "s3:*", Resource: "*" };
const roleWithout = (permission: string) => `without-${permission.slice("s3:".length)}`;
const graph = smallGraph(bucket(Bucket, versioned), {
  everything: [allow],
  ...Object.fromEntries(
    permissions.map((permission) => [
      roleWithout(permission),
      [allow, { Effect: "Deny" as const, Action: permission, Resource: "*" }],
    ]),
  ),
});
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => {
  s3 = await startS3(graph);
  const client = s3.client();
  VersionId = (await client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }))).VersionId!;
  UploadId = (await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId!;
  const { ETag } = await client.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: "x" }),
  );
  parts = [{ PartNumber: 1, ETag }];
});
afterAll(() => s3.stop());

const forbidden = { $metadata: { httpStatusCode: 403 } };
const copy = (CopySource: string) => new CopyObjectCommand({ Bucket, Key: "copy", CopySource });
/** Rejects with the error of the only key, if it has one. */
async function deleteMany(client: S3Client, object: { Key: string; VersionId?: string }) {
  const { Errors } = await client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: [object] } }),
  );
  if (Errors) throw Object.assign(new Error(Errors[0]?.Message), forbidden);
}

test.each(
  Object.entries(all).flatMap(([operation, needs]) =>
    needs.map(([permission, send]) => [operation, permission, send] as const),
  ),
)("%s needs %s", async (_, permission, send) => {
  const denials = s3.denials.length;
  await expect(send(s3.client(s3.role(roleWithout(permission))))).rejects.toMatchObject(forbidden);
  expect(s3.denials.slice(denials)).toMatchObject([{ action: permission }]);
  await send(s3.client(s3.role("everything")));
  expect(s3.denials).toHaveLength(denials + 1);
});

test("a key behind a delete marker looks like a missing one to a role that may not list the bucket", async () => {
  await s3.client().send(new PutObjectCommand({ Bucket, Key: "deleted", Body: "x" }));
  await s3.client().send(new DeleteObjectCommand({ Bucket, Key: "deleted" }));
  for (const key of ["deleted", "missing"]) {
    const get = new GetObjectCommand({ Bucket, Key: key });
    await expect(s3.client(s3.role("everything")).send(get)).rejects.toMatchObject({
      name: "NoSuchKey",
    });
    await expect(s3.client(s3.role("without-ListBucket")).send(get)).rejects.toMatchObject({
      name: "AccessDenied",
    });
  }
});
