import { Resource } from "sst/resource";
import type { Readable } from "node:stream";

import type * as AwsRequest from "./aws-request.ts";

// The verbs of S3 that Balde speaks, all on its one bucket. Those that a visitor waits for do without the SDK.

type Put = {
  type: string;
  cacheControl?: string;
  createOnly?: boolean;
  /** Only in the place of the object with this tag. */
  instead?: string;
  notes?: Record<string, string>;
};

/** Whether it was stored: `createOnly` leaves what is there as it is, `instead` what is not there, or is another one. */
export async function put(
  key: string,
  body: Uint8Array,
  { type, cacheControl, createOnly, instead, notes = {} }: Put,
): Promise<boolean> {
  const headers = {
    "content-type": type,
    "cache-control": cacheControl,
    "if-none-match": createOnly ? "*" : undefined,
    "if-match": instead,
    ...Object.fromEntries(Object.entries(notes).map(([name, text]) => [NOTE + name, text])),
  };
  const reply = await object("PUT", key, headers, body);
  reply?.body.resume();
  return reply !== undefined;
}

/** Within the bucket, so that no byte travels; what is there already stays as it is. Whether it is there now: not when what was to be copied is gone, or another one took its place. */
export async function copy(
  { key, eTag }: { key: string; eTag: string },
  to: string,
  { type }: Pick<Put, "type">,
): Promise<boolean> {
  const { CopyObjectCommand, client } = await sdk();
  const command = new CopyObjectCommand({
    Bucket: bucket(),
    Key: to,
    CopySource: `${bucket()}/${encoded(key)}`,
    CopySourceIfMatch: eTag,
    IfNoneMatch: "*",
    MetadataDirective: "REPLACE",
    ContentType: type,
  });
  try {
    await client().send(command);
    return true;
  } catch (error) {
    // 412 is either condition's answer
    if ([404, 412].includes(status(error))) return (await head(to)) !== undefined;
    throw error;
  }
}

/** The whole object or a part of it (`bytes=0-99`), as long as it is still the one with this tag; undefined when it is gone or another one took its place. */
export async function read(
  key: string,
  etag?: string,
  range?: string,
): Promise<Buffer | undefined> {
  const reply = await object("GET", key, { "if-match": etag, range });
  return reply && (await wire()).bytes(reply.body);
}

export type Head = { bytes: number; eTag: string; storedAt: Date; notes: Record<string, string> };
export type Opened = Head & { body: Readable; contentRange: string | undefined };

/** The same as it comes, to be read to its end. Throws an `AwsError` of status 416 when the range lies behind the last byte. */
export async function open(key: string, range?: string): Promise<Opened | undefined> {
  const reply = await object("GET", key, { range });
  if (!reply) return undefined;
  const { body, headers } = reply;
  return { ...about(headers), body, contentRange: headers["content-range"] };
}

/** What it is, without what is in it; undefined when there is no such object. */
export async function head(key: string): Promise<Head | undefined> {
  const reply = await object("HEAD", key);
  reply?.body.resume();
  return reply && about(reply.headers);
}

/** How S3 spells what is noted with an object. */
const NOTE = "x-amz-meta-";

const about = (headers: AwsRequest.Reply["headers"]): Head => ({
  bytes: Number(headers["content-length"]),
  eTag: String(headers.etag),
  storedAt: new Date(String(headers["last-modified"])),
  notes: Object.fromEntries(
    Object.entries(headers).flatMap(([name, text]) =>
      name.startsWith(NOTE) ? [[name.slice(NOTE.length), String(text)]] : [],
    ),
  ),
});

/** One version, for good. Without a version S3 would only hide the object behind a marker. */
export async function remove(key: string, version: string | undefined): Promise<void> {
  const { DeleteObjectCommand, client } = await sdk();
  await client().send(new DeleteObjectCommand({ Bucket: bucket(), Key: key, VersionId: version }));
}

/** Every version of the object with exactly this key, markers included. */
export const removeAll = (key: string) => removeVersions(key, (found) => found === key);

/** Every version of every object whose key starts so. */
export const removeUnder = (prefix: string) => removeVersions(prefix, () => true);

type Form = { key: string; type: string; bytes: number; sha256?: string; seconds: number };

/** A form with which anybody may post one object of this type and at most this size. S3 checks each field against the signed policy. */
export async function form({ key, type, bytes, sha256, seconds }: Form) {
  const [{ client }, { createPresignedPost }] = await Promise.all([
    sdk(),
    import("@aws-sdk/s3-presigned-post"),
  ]);
  return createPresignedPost(client(), {
    Bucket: bucket(),
    Key: key,
    Expires: seconds,
    Conditions: [["content-length-range", 1, bytes]],
    // every field is also a condition: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
    Fields: {
      "Content-Type": type,
      success_action_status: "201",
      ...(sha256 && { "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64") }),
    },
  });
}

async function removeVersions(prefix: string, isMeant: (key: string) => boolean) {
  const { ListObjectVersionsCommand, client } = await sdk();
  let after: { KeyMarker?: string; VersionIdMarker?: string } = {};
  let isMore = true;
  while (isMore) {
    const page = await client().send(
      new ListObjectVersionsCommand({ Bucket: bucket(), Prefix: prefix, ...after }),
    );
    const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    const meant = found.filter(({ Key }) => isMeant(Key!));
    await Promise.all(meant.map(({ Key, VersionId }) => remove(Key!, VersionId)));
    after = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    isMore = page.IsTruncated ?? false;
  }
}

/** undefined when it is not there, or not as the request has it: 404 and 412. */
async function object(
  method: "GET" | "HEAD" | "PUT",
  key: string,
  headers?: AwsRequest.Call["headers"],
  body?: Uint8Array,
): Promise<AwsRequest.Reply | undefined> {
  const { AwsError, send } = await wire();
  const path = `/${encoded(key)}`;
  try {
    return await send({ service: "s3", bucket: bucket(), method, path, headers, body });
  } catch (error) {
    if (error instanceof AwsError && [404, 412].includes(error.status)) return undefined;
    throw error;
  }
}

const encoded = (key: string) => key.split("/").map(encodeURIComponent).join("/");

const status = (error: unknown) =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;

const wire = () => import("./aws-request.ts");
const sdk = () => import("./bucket.sdk.ts");
const bucket = () => Resource.Images.name;
