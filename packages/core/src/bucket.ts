import { Resource } from "sst/resource";
import type { Readable } from "node:stream";

import type * as AwsRequest from "./aws-request.ts";

// The calls of S3 that Balde makes, all on its one bucket. Calls that a visitor waits for do without the SDK
// (docs/adr/0019-calls-without-the-sdk.md).

type PutOptions = {
  /** The content type. */
  type: string;
  cacheControl?: string;
  /** Store only if there is no object with this key. */
  createOnly?: boolean;
  /** Store only if the object with this key has this ETag. */
  ifMatch?: string;
  metadata?: Record<string, string>;
};

/** True if the object was stored; false if `createOnly` or `ifMatch` was not met. */
export async function put(
  key: string,
  body: Uint8Array,
  { type, cacheControl, createOnly, ifMatch, metadata = {} }: PutOptions,
): Promise<boolean> {
  const headers = {
    "content-type": type,
    "cache-control": cacheControl,
    "if-none-match": createOnly ? "*" : undefined,
    "if-match": ifMatch,
    ...Object.fromEntries(
      Object.entries(metadata).map(([name, text]) => [METADATA_PREFIX + name, text]),
    ),
  };
  const response = await sendObject("PUT", key, { headers, body });
  response?.body.resume();
  return response !== undefined;
}

/**
 * Copies an object of `size` bytes, up to 5 GB, within S3; an object that exists at `to` stays as it is. True if there is an
 * object at `to` afterwards; false if the source does not exist any more or has another ETag.
 */
export async function copy(
  { key, eTag, size }: { key: string; eTag: string; size: number },
  to: string,
  { type }: Pick<PutOptions, "type">,
): Promise<boolean> {
  const { CopyObjectCommand, client, clientForLargeCopies } = await sdk();
  const command = new CopyObjectCommand({
    Bucket: bucketName(),
    Key: to,
    CopySource: `${bucketName()}/${encodeKey(key)}`,
    CopySourceIfMatch: eTag,
    IfNoneMatch: "*",
    MetadataDirective: "REPLACE",
    ContentType: type,
  });
  try {
    await (size > LARGE_BYTES ? clientForLargeCopies() : client()).send(command);
    return true;
  } catch (error) {
    // 412 may mean either of the two conditions
    if ([404, 412].includes(statusOf(error))) return (await head(to)) !== undefined;
    throw error;
  }
}

/** S3 copies so much well within the usual time for a response. */
const LARGE_BYTES = 16 * 2 ** 20;

/**
 * The bytes of an object, or of a part of it (`range` is the header's text, as `bytes=0-99`). undefined if there is no such
 * object, or if it does not have the given ETag.
 */
export async function read(
  key: string,
  eTag?: string,
  range?: string,
): Promise<Buffer | undefined> {
  const call = objectCall("GET", key, { headers: { "if-match": eTag, range } });
  return unlessMissing(({ sendAndRead }) => sendAndRead(call));
}

export type ObjectHead = {
  /** The length of the body: of the part, if a range was asked for. */
  bytes: number;
  eTag: string;
  lastModified: Date;
  metadata: Record<string, string>;
};
/** The caller must read `body` to its end, or destroy it. `contentRange` is the header's text, if a range was asked for. */
export type OpenedObject = ObjectHead & { body: Readable; contentRange: string | undefined };

type OpenOptions = {
  range?: string | undefined;
  eTag?: string | undefined;
  /** The body is read as fast as it arrives: then one that stops for seconds is continued by another request, too. */
  isReadAtOnce?: boolean;
};

/**
 * An object as a stream, or a part of it (`range` is the header's text); undefined if there is no such object, or if it does
 * not have the given ETag. A stream that breaks off is continued by another request. Rejects
 * with an `AwsError` of status 416 if the range begins after the last byte.
 */
export async function open(
  key: string,
  { range, eTag, isReadAtOnce = false }: OpenOptions = {},
): Promise<OpenedObject | undefined> {
  const response = await sendObject("GET", key, { headers: { range, "if-match": eTag } });
  if (!response) return undefined;
  const { limitPauses } = await awsRequest();
  if (isReadAtOnce) limitPauses(response.body);
  const { headers } = response;
  const contentRange = headers["content-range"];
  const head = toObjectHead(headers);
  const start = Number(/^bytes (\d+)-/.exec(contentRange ?? "")?.[1] ?? 0);
  const { resumable } = await import("./resumable-body.ts");
  const body = resumable(response.body, async (received) => {
    const rest = `bytes=${start + received}-${start + head.bytes - 1}`;
    const headers = { "if-match": head.eTag, range: rest };
    const next = (await sendObject("GET", key, { headers }))?.body;
    if (next && isReadAtOnce) limitPauses(next);
    return next;
  });
  return { ...head, body, contentRange };
}

/** HEAD: size, ETag, date and metadata of an object, or of one version of it; undefined if there is no such object. */
export async function head(key: string, version?: string): Promise<ObjectHead | undefined> {
  const query = version && `versionId=${encodeURIComponent(version)}`;
  const response = await sendObject("HEAD", key, { query });
  response?.body.resume();
  return response && toObjectHead(response.headers);
}

/** S3's prefix of headers that are an object's own metadata. */
const METADATA_PREFIX = "x-amz-meta-";

const toObjectHead = (headers: AwsRequest.AwsResponse["headers"]): ObjectHead => ({
  bytes: Number(headers["content-length"]),
  eTag: String(headers.etag),
  lastModified: new Date(String(headers["last-modified"])),
  metadata: Object.fromEntries(
    Object.entries(headers).flatMap(([name, text]) =>
      name.startsWith(METADATA_PREFIX) ? [[name.slice(METADATA_PREFIX.length), String(text)]] : [],
    ),
  ),
});

/** Deletes one version permanently. Without a version S3 keeps the bytes and only adds a delete marker. */
export async function removeVersion(key: string, version: string | undefined): Promise<void> {
  const { DeleteObjectCommand, client } = await sdk();
  await client().send(
    new DeleteObjectCommand({ Bucket: bucketName(), Key: key, VersionId: version }),
  );
}

/** Deletes every version of the object with exactly this key, delete markers included. */
export const removeAllVersions = (key: string): Promise<void> =>
  removeVersions(key, async (found) => found.key === key);

/** Deletes every version of every object whose key starts with `prefix`, delete markers included. */
export const removeByPrefix = (prefix: string): Promise<void> =>
  removeVersions(prefix, async () => true);

/** Deletes every version of every object whose key starts with `prefix`, but not with `exception`. */
export const removeByPrefixExcept = (prefix: string, exception: string): Promise<void> =>
  removeVersions(prefix, async (found) => !found.key.startsWith(exception));

/** Deletes every version of the object with this key whose metadata has this text under this name. Of the versions that stay, S3 delivers the latest. */
export const removeVersionsWith = (key: string, name: string, text: string): Promise<void> =>
  removeVersions(
    key,
    async (found) =>
      found.key === key &&
      // S3 answers 405 to a HEAD of a delete marker
      !found.isDeleteMarker &&
      (await head(key, found.id))?.metadata[name] === text,
  );

type PresignOptions = {
  key: string;
  type: string;
  bytes: number;
  sha256?: string;
  seconds: number;
};

/**
 * A presigned POST for one object: its URL and form fields, valid for `seconds`. S3 accepts 1 to `bytes` bytes of any
 * content type, and only those with the SHA-256 (64 hex digits) if one is given.
 */
export async function presignPost({ key, type, bytes, sha256, seconds }: PresignOptions) {
  const [{ client }, { createPresignedPost }] = await Promise.all([
    sdk(),
    import("@aws-sdk/s3-presigned-post"),
  ]);
  const { url, fields } = await createPresignedPost(client(), {
    Bucket: bucketName(),
    Key: key,
    Expires: seconds,
    Conditions: [
      ["content-length-range", 1, bytes],
      // a browser may know another type than the client that declared it, and the bytes decide
      ["starts-with", "$Content-Type", ""],
    ],
    // the signed policy has a condition for each of these, too: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
    Fields: {
      success_action_status: "201",
      ...(sha256 && { "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64") }),
    },
  });
  return { url, fields: { "Content-Type": type, ...fields } };
}

type Version = { key: string; id: string | undefined; isDeleteMarker: boolean };

async function removeVersions(prefix: string, isIncluded: (found: Version) => Promise<boolean>) {
  const { ListObjectVersionsCommand, client } = await sdk();
  let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
  let hasMore = true;
  while (hasMore) {
    const page = await client().send(
      new ListObjectVersionsCommand({ Bucket: bucketName(), Prefix: prefix, ...marker }),
    );
    const { Versions = [], DeleteMarkers = [] } = page;
    const found = [
      ...Versions.map((version) => ({ ...version, isDeleteMarker: false })),
      ...DeleteMarkers.map((version) => ({ ...version, isDeleteMarker: true })),
    ].map(({ Key, VersionId, isDeleteMarker }) => ({ key: Key!, id: VersionId, isDeleteMarker }));
    await Promise.all(
      found.map(async (version) => {
        if (await isIncluded(version)) await removeVersion(version.key, version.id);
      }),
    );
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    hasMore = page.IsTruncated ?? false;
  }
}

/** The response, or undefined if S3 answers 404 (no such object) or 412 (a condition of the request is not met). */
const sendObject = (...call: Parameters<typeof objectCall>) =>
  unlessMissing(({ send }) => send(objectCall(...call)));

type ObjectCall = Pick<AwsRequest.AwsCall, "headers" | "body"> & {
  /** Percent-encoded. */
  query?: string | undefined;
};

/** A request for the object with this key. */
export function objectCall(
  method: AwsRequest.AwsCall["method"],
  key: string,
  { query, ...call }: ObjectCall = {},
): AwsRequest.AwsCall {
  const path = `/${encodeKey(key)}${query ? `?${query}` : ""}`;
  return { service: "s3", bucket: bucketName(), method, path, ...call };
}

const unlessMissing = <Result>(work: (aws: typeof AwsRequest) => Promise<Result>) =>
  unlessRefused(work, ({ status }) => status === 404 || status === 412);

/** The result of `work`; undefined where S3 refuses it in a way that is expected. */
export async function unlessRefused<Result>(
  work: (aws: typeof AwsRequest) => Promise<Result>,
  isExpected: (error: AwsRequest.AwsError) => boolean,
): Promise<Result | undefined> {
  const aws = await awsRequest();
  try {
    return await work(aws);
  } catch (error) {
    if (error instanceof aws.AwsError && isExpected(error)) return undefined;
    throw error;
  }
}

const encodeKey = (key: string) => key.split("/").map(encodeURIComponent).join("/");

const statusOf = (error: unknown) =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;

const awsRequest = () => import("./aws-request.ts");
const sdk = () => import("./bucket.sdk.ts");
const bucketName = () => Resource.Images.name;
