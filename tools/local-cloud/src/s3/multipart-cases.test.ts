import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, expect, test } from "vitest";

import cases from "./multipart-cases.json" with { type: "json" };
import { bucket, smallGraph, startS3 } from "./s3.fixture.ts";

// Rules of multipart uploads as data, with the marks of evidence of tools/local-cloud/conformance/README.md.

type Case = {
  title: string;
  evidence: string;
  /** Bytes by part number. */
  parts?: Record<string, number>;
  before?: "abort";
  /** The numbers that the completion lists. */
  complete?: string[];
  presigned?: { signed: number; sent: number; hoursAgo?: number };
  /** `completed`, `stored` or S3's error code. */
  expect: string;
};

const Bucket = "pictures";
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => void (s3 = await startS3(smallGraph(bucket(Bucket)))));
afterAll(() => s3.stop());

test.each(cases as Case[])("$title: $expect ($evidence)", async (one) => {
  const Key = one.title;
  const { UploadId } = await s3.client().send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const upload = { Bucket, Key, UploadId };
  const tags = new Map<string, string>();
  for (const [number, bytes] of Object.entries(one.parts ?? {})) {
    const part = { ...upload, PartNumber: Number(number), Body: Buffer.alloc(bytes, number) };
    tags.set(number, (await s3.client().send(new UploadPartCommand(part))).ETag!);
  }
  const url = one.presigned && (await presign(upload, one.presigned));
  if (one.before === "abort") await s3.client().send(new AbortMultipartUploadCommand(upload));
  const outcome = url
    ? await put(url, one.presigned!.sent)
    : await complete(upload, tags, one.complete!);
  expect(outcome).toBe(one.expect);
});

type Upload = { Bucket: string; Key: string; UploadId: string | undefined };

function complete(upload: Upload, tags: Map<string, string>, listed: string[]) {
  const Parts = listed.map((text) => {
    const [number, ...changed] = text.split(" ");
    const ETag = changed.length > 0 ? `"${"0".repeat(32)}"` : (tags.get(number!) ?? '"0"');
    return { PartNumber: Number(number), ETag };
  });
  const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
  const sent = s3.client().send(command);
  return sent.then(
    () => "completed",
    (error: Error) => error.name,
  );
}

function presign(upload: Upload, { signed, hoursAgo = 0 }: NonNullable<Case["presigned"]>) {
  const client = s3.client(undefined, { requestChecksumCalculation: "WHEN_REQUIRED" });
  const command = new UploadPartCommand({ ...upload, PartNumber: 1, ContentLength: signed });
  const signableHeaders = new Set(["content-length", "host"]);
  const signingDate = new Date(Date.now() - hoursAgo * 3600 * 1000);
  return getSignedUrl(client, command, { expiresIn: 3600, signableHeaders, signingDate });
}

async function put(url: string, sent: number) {
  const response = await fetch(url, { method: "PUT", body: new Uint8Array(sent) });
  return response.ok ? "stored" : /<Code>(\w+)</.exec(await response.text())?.[1];
}
