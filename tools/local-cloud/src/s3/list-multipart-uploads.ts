import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import * as Xml from "./xml.ts";
import { pageSizeOf } from "./list-elements.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const listMultipartUploads: Action = (s3, call) => {
  Access.assertAllowed(s3, call, "s3:ListBucketMultipartUploads");
  const { query, bucket } = call;
  const prefix = query.get("prefix") ?? "";
  const limit = pageSizeOf(query.get("max-uploads"));
  const keyMarker = query.get("key-marker") ?? "";
  // without an upload id marker all uploads of the marker's key were listed, and no id is greater than this
  const idMarker = query.get("upload-id-marker") ?? "\u{10ffff}";
  const found = s3.uploads.list(bucket.name, prefix, keyMarker, idMarker, limit + 1);
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return {
    body: Xml.document("ListMultipartUploadsResult", [
      Xml.element("Bucket", bucket.name),
      Xml.element("KeyMarker", keyMarker),
      Xml.element("UploadIdMarker", query.get("upload-id-marker") ?? ""),
      Xml.element("Prefix", prefix),
      ...Xml.optional("NextKeyMarker", last?.key),
      ...Xml.optional("NextUploadIdMarker", last?.id),
      Xml.element("MaxUploads", limit),
      Xml.element("IsTruncated", last !== undefined),
      ...page.map(({ key, id, initiated }) =>
        Xml.element("Upload", [
          Xml.element("Key", key),
          Xml.element("UploadId", id),
          Xml.element("StorageClass", "STANDARD"),
          Xml.element("Initiated", new Date(initiated).toISOString()),
        ]),
      ),
    ]),
  };
};
