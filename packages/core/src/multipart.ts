import type * as AwsRequest from "./aws-request.ts";
import * as Bucket from "./bucket.ts";

// An object that is uploaded to the bucket in parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
// The calls do without the SDK, because a person waits for each of them (docs/adr/0019-calls-without-the-sdk.md).

/** A part that the bucket has stored. */
export type StoredPart = { number: number; bytes: number; eTag: string };

/** Begins a multipart upload and returns its id. */
export async function create(key: string, type: string): Promise<string> {
  const { sendAndRead } = await awsRequest();
  const headers = { "content-type": type };
  const text = await sendAndRead(
    Bucket.objectCall("POST", key, { query: "uploads=", headers, body: "" }),
  );
  const id = element(String(text), "UploadId");
  if (!id) throw new Error(`S3 began a multipart upload without an id: ${String(text)}`);
  return id;
}

type SignPart = { key: string; uploadId: string; number: number; bytes: number; seconds: number };

/** The URL to which exactly `bytes` bytes can be sent by PUT as a part of the upload, valid for `seconds`. */
export async function signPart({
  key,
  uploadId,
  number,
  bytes,
  seconds,
}: SignPart): Promise<string> {
  const { presign } = await awsRequest();
  const query = `partNumber=${number}&uploadId=${encodeURIComponent(uploadId)}`;
  // a signed header: S3 refuses a body of another length, and a browser sets this one itself
  const headers = { "content-length": String(bytes) };
  return presign(Bucket.objectCall("PUT", key, { query, headers }), seconds);
}

/** All parts that are stored, in order; undefined if there is no such upload: it was completed or aborted. */
export async function listParts(key: string, uploadId: string): Promise<StoredPart[] | undefined> {
  const parts: StoredPart[] = [];
  for (let marker: string | undefined = "0"; marker;) {
    const query: string = `part-number-marker=${marker}&uploadId=${encodeURIComponent(uploadId)}`;
    const page = await unlessGone(({ sendAndRead }) =>
      sendAndRead(Bucket.objectCall("GET", key, { query })),
    );
    if (!page) return undefined;
    const text = String(page);
    parts.push(...[...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => toPart(part!)));
    const isLast = element(text, "IsTruncated") !== "true";
    marker = isLast ? undefined : element(text, "NextPartNumberMarker");
  }
  return parts;
}

const toPart = (xml: string): StoredPart => ({
  number: Number(element(xml, "PartNumber")),
  bytes: Number(element(xml, "Size")),
  eTag: element(xml, "ETag")!.replaceAll(/&quot;|"/g, ""),
});

/**
 * Makes the parts one object. `gone` if there is no such upload, because it was completed or aborted before; `changed` if
 * one of the parts was replaced since it was listed.
 */
export async function complete(
  key: string,
  uploadId: string,
  parts: StoredPart[],
): Promise<"completed" | "changed" | "gone"> {
  const query = `uploadId=${encodeURIComponent(uploadId)}`;
  const listed = parts.map(
    ({ number, eTag }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${eTag}"</ETag></Part>`,
  );
  const body = `<CompleteMultipartUpload>${listed.join("")}</CompleteMultipartUpload>`;
  const headers = { "content-type": "application/xml" };
  const call = Bucket.objectCall("POST", key, { query, headers, body });
  const { AwsError } = await awsRequest();
  try {
    const answer = await unlessGone(({ sendAndRead }) => sendAndRead(call));
    if (!answer) return "gone";
    // S3 begins to answer before it is done, so an error may follow the status 200: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    if (/<Error>/.test(String(answer))) throw new AwsError(call, 500, String(answer));
    return "completed";
  } catch (error) {
    if (error instanceof AwsError && error.code === "InvalidPart") return "changed";
    throw error;
  }
}

/** Removes the upload and its parts. One that was completed or aborted stays as it is. */
export async function abort(key: string, uploadId: string): Promise<void> {
  const query = `uploadId=${encodeURIComponent(uploadId)}`;
  await unlessGone(({ sendAndRead }) => sendAndRead(Bucket.objectCall("DELETE", key, { query })));
}

/** Removes every upload in parts of the object with this key. */
export async function abortAll(key: string): Promise<void> {
  const { sendAndRead } = await awsRequest();
  const query = `prefix=${encodeURIComponent(key)}&uploads=`;
  // one page has a thousand, and each attempt to create an image makes one
  const text = String(await sendAndRead(Bucket.objectCall("GET", "", { query })));
  const found = [...text.matchAll(/<Upload>(.*?)<\/Upload>/gs)].map(([, upload]) => upload!);
  const own = found.filter((upload) => element(upload, "Key") === key);
  await Promise.all(own.map((upload) => abort(key, element(upload, "UploadId")!)));
}

/** The text of the first element with this name. Ids, numbers and ETags have no characters that XML escapes, but for the quotes of an ETag. */
const element = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

const unlessGone = <Result>(work: (aws: typeof AwsRequest) => Promise<Result>) =>
  Bucket.unlessRefused(work, ({ code }) => code === "NoSuchUpload");

const awsRequest = () => import("./aws-request.ts");
