import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import * as Xml from "./xml.ts";
import { findUpload, uploadElements } from "./find-upload.ts";
import { pageSizeOf } from "./list-elements.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const listParts: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListMultipartUploadParts");
  const upload = findUpload(s3, call);
  const marker = Number(call.query.get("part-number-marker") ?? 0) || 0;
  const limit = pageSizeOf(call.query.get("max-parts"));
  const found = s3.uploads.parts(upload.id, marker, limit + 1);
  const page = found.slice(0, limit);
  const { algorithm } = upload;
  return {
    body: Xml.document("ListPartsResult", [
      ...uploadElements(call),
      Xml.element("UploadId", upload.id),
      Xml.element("StorageClass", "STANDARD"),
      ...(algorithm
        ? [
            Xml.element("ChecksumAlgorithm", algorithm.toUpperCase()),
            Xml.element("ChecksumType", "COMPOSITE"),
          ]
        : []),
      Xml.element("PartNumberMarker", marker),
      ...Xml.optional("NextPartNumberMarker", page.at(-1)?.number),
      Xml.element("MaxParts", limit),
      Xml.element("IsTruncated", found.length > limit),
      ...page.map((part) =>
        Xml.element("Part", [
          Xml.element("PartNumber", part.number),
          Xml.element("LastModified", new Date(part.modified).toISOString()),
          Xml.element("ETag", `"${part.md5}"`),
          Xml.element("Size", part.size),
          ...(algorithm ? Xml.optional(`Checksum${algorithm.toUpperCase()}`, part.checksum) : []),
        ]),
      ),
    ]),
  };
};
