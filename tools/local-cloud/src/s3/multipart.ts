import { createHash } from "node:crypto";

import * as Access from "./access.ts";
import * as Payload from "./payload.ts";
import type { Action, Call, S3 } from "./types.ts";
import * as Checksum from "./checksum.ts";
import { S3Error, notImplemented } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import type { Draft } from "./store.ts";
import type { Part, Upload } from "./upload-store.ts";
import * as Write from "./write.ts";
import * as Xml from "./xml.ts";

export const create: Action = (s3, call) => {
  Write.demandWrite(s3, call);
  const headers = ObjectHeaders.fromHeaders(call.headers);
  const algorithm = algorithmOf(call.headers);
  const { bucket, key } = call;
  const id = s3.uploads.create(
    bucket.name,
    key,
    { headers, ...(algorithm && { algorithm }) },
    s3.clock.now(),
  );
  return {
    headers: {
      ...ObjectHeaders.encryption,
      ...(algorithm && {
        "x-amz-checksum-algorithm": algorithm.toUpperCase(),
        "x-amz-checksum-type": "COMPOSITE",
      }),
    },
    body: Xml.document("InitiateMultipartUploadResult", [
      ...nameOf(call),
      Xml.element("UploadId", id),
    ]),
  };
};

export const put: Action = async (s3, call) => {
  Access.assertAllowed(s3, call, "s3:PutObject");
  const upload = find(s3, call);
  const number = Number(call.query.get("partNumber"));
  if (!(Number.isInteger(number) && number >= 1 && number <= MAX_PARTS))
    throw new S3Error(
      "InvalidArgument",
      `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    );
  const { source, claim } = Payload.open(call);
  const { algorithm } = upload;
  if (algorithm && claim.checksum && claim.checksum.algorithm !== algorithm)
    throw new S3Error(
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected checksum Type: ${algorithm}, actual checksum Type: ${claim.checksum.algorithm}`,
    );
  const checksum = claim.checksum ?? (algorithm && { algorithm });
  const received = await Payload.receive(s3, source, { ...claim, checksum });
  try {
    s3.store.transaction(() => {
      find(s3, call); // it may have been completed or aborted while the bytes arrived
      s3.store.free(s3.uploads.putPart(upload.id, number, received, s3.clock.now()));
    });
  } catch (error) {
    s3.blobs.remove([received.blob]);
    throw error;
  }
  return {
    headers: {
      etag: `"${received.md5}"`,
      ...ObjectHeaders.encryption,
      ...(received.checksum && {
        [`x-amz-checksum-${received.checksum.algorithm}`]: received.checksum.value,
      }),
    },
  };
};

export const complete: Action = async (s3, call) => {
  Write.demandWrite(s3, call);
  const upload = find(s3, call);
  const listed = parse(await Payload.text(call, MAX_DOCUMENT_BYTES));
  const parts = listed.map((one, index) => pick(s3, upload, one, index === listed.length - 1));
  const draft = assemble(upload, parts);
  const stated = call.headers["x-amz-mp-object-size"];
  if (stated !== undefined && Number(stated) !== draft.size)
    throw new S3Error(
      "InvalidRequest",
      "The provided 'x-amz-mp-object-size' header does not match what was computed.",
    );
  const version = Write.commit(s3, call, draft, "ObjectCreated:CompleteMultipartUpload", () => {
    find(s3, call);
    s3.store.free(s3.uploads.end(upload.id));
  });
  return {
    headers: { ...ObjectHeaders.encryption, ...ObjectHeaders.versionId(call, version) },
    body: Xml.document("CompleteMultipartUploadResult", [
      Xml.element("Location", `/${call.bucket.name}/${call.key}`),
      ...nameOf(call),
      Xml.element("ETag", `"${version.etag}"`),
      ...Write.checksumElements(version),
    ]),
  };
};

export const abort: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:AbortMultipartUpload");
  const upload = find(s3, call);
  s3.store.transaction(() => s3.store.free(s3.uploads.end(upload.id)));
  return { status: 204 };
};

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const MIN_PART_BYTES = 5 * 1024 * 1024;
/** The largest completion document, in bytes: ten thousand parts with ETags and checksums. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

export function find(s3: S3, { bucket, key, query }: Call): Upload {
  const id = query.get("uploadId") ?? "";
  const upload = s3.uploads.find(bucket.name, key, id);
  if (upload) return upload;
  throw new S3Error(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId: id },
  );
}

export const nameOf = ({ bucket, key }: Call) => [
  Xml.element("Bucket", bucket.name),
  Xml.element("Key", key),
];

type Listed = { number: number; etag: string; checksums: Map<string, string> };

function parse(source: string): Listed[] {
  const root = Xml.parse(source);
  const nodes = root?.name === "CompleteMultipartUpload" ? root.children : [];
  const listed = nodes.map((node) => ({
    number: Number(Xml.child(node, "PartNumber")?.text),
    etag: (Xml.child(node, "ETag")?.text ?? "").replaceAll('"', ""),
    checksums: new Map(node.children.map(({ name, text }) => [name.toLowerCase(), text])),
  }));
  if (listed.length === 0 || listed.some(({ number, etag }) => !number || !etag))
    throw new S3Error(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  if (listed.some(({ number }, index) => index > 0 && number <= listed[index - 1]!.number))
    throw new S3Error(
      "InvalidPartOrder",
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
    );
  return listed;
}

function pick(s3: S3, upload: Upload, { number, etag, checksums }: Listed, isLast: boolean): Part {
  const part = s3.uploads.part(upload.id, number);
  const checksum = checksums.get(`checksum${upload.algorithm}`);
  if (upload.algorithm && checksum === undefined)
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using a ${upload.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  if (!part || part.md5 !== etag || (upload.algorithm && part.checksum !== checksum))
    throw new S3Error(
      "InvalidPart",
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { UploadId: upload.id, PartNumber: String(number), ETag: etag },
    );
  if (!isLast && part.size < MIN_PART_BYTES)
    throw new S3Error(
      "EntityTooSmall",
      "Your proposed upload is smaller than the minimum allowed size",
      {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: String(number),
        ETag: etag,
      },
    );
  return part;
}

/** The object consists of its parts in order: no byte is copied. Its ETag and checksum are computed from those of the parts. */
function assemble({ headers, algorithm }: Upload, parts: Part[]): Draft {
  const etags = createHash("md5").update(
    Buffer.concat(parts.map(({ md5 }) => Buffer.from(md5, "hex"))),
  );
  const draft = {
    segments: parts,
    size: parts.reduce((sum, { size }) => sum + size, 0),
    etag: `${etags.digest("hex")}-${parts.length}`,
    headers,
  };
  if (!algorithm) return draft;
  const hasher = Checksum.createHasher(algorithm);
  for (const { checksum } of parts) hasher.update(Buffer.from(checksum!, "base64"));
  const value = `${hasher.digest().toString("base64")}-${parts.length}`;
  return { ...draft, checksum: { algorithm, value, type: "COMPOSITE" } };
}

function algorithmOf(headers: Call["headers"]): Checksum.Algorithm | undefined {
  const asked = headers["x-amz-checksum-algorithm"];
  const type = headers["x-amz-checksum-type"];
  if (asked === undefined) return undefined;
  const algorithm = Checksum.algorithms.find((one) => one === asked.toLowerCase());
  if (!algorithm)
    throw new S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.");
  // a checksum of the whole object would have to be combined from those of the parts
  if (algorithm === "crc64nvme" || type === "FULL_OBJECT")
    throw notImplemented("x-amz-checksum-type: FULL_OBJECT");
  return algorithm;
}
