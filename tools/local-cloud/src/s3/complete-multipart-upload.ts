import { createHash } from "node:crypto";
import * as Payload from "./payload.ts";
import * as Key from "./key.ts";
import type { Action, S3 } from "./types.ts";
import * as Checksum from "./checksum.ts";
import { S3Error } from "./s3-error.ts";
import * as ObjectHeaders from "./object-headers.ts";
import type { Draft } from "./store.ts";
import type { Part, Upload } from "./upload-store.ts";
import * as Xml from "./xml.ts";
import * as XmlRequest from "./xml-request.ts";
import { assertWriteAllowed, checksumElements, commitObject } from "./commit-object.ts";
import { findUpload, uploadElements } from "./find-upload.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export const completeMultipartUpload: Action = async (s3, call) => {
  assertWriteAllowed(s3, call);
  const upload = findUpload(s3, call);
  const listed = parse(await Payload.text(call, MAX_DOCUMENT_BYTES));
  const parts = listed.map((one, index) => pick(s3, upload, one, index === listed.length - 1));
  const draft = assemble(upload, parts);
  const stated = call.headers["x-amz-mp-object-size"];
  if (stated !== undefined && Number(stated) !== draft.size)
    throw new S3Error(
      "InvalidRequest",
      "The provided 'x-amz-mp-object-size' header does not match what was computed.",
    );
  const version = commitObject(s3, call, draft, "ObjectCreated:CompleteMultipartUpload", () => {
    findUpload(s3, call);
    s3.store.free(s3.uploads.end(upload.id));
  });
  return {
    headers: { ...ObjectHeaders.encryption, ...ObjectHeaders.versionId(call, version) },
    body: Xml.document("CompleteMultipartUploadResult", [
      Xml.element("Location", Key.url(call)),
      ...uploadElements(call),
      Xml.element("ETag", `"${version.etag}"`),
      ...checksumElements(version),
    ]),
  };
};

const MIN_PART_BYTES = 5 * 1024 * 1024;

/** The largest completion document, in bytes: ten thousand parts with ETags and checksums. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

type Listed = { number: number; etag: string; checksums: Map<string, string> };

function parse(source: string): Listed[] {
  const root = XmlRequest.parse(source);
  const nodes = root?.name === "CompleteMultipartUpload" ? root.children : [];
  const listed = nodes.map((node) => ({
    number: Number(XmlRequest.child(node, "PartNumber")?.text),
    etag: (XmlRequest.child(node, "ETag")?.text ?? "").replaceAll('"', ""),
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
