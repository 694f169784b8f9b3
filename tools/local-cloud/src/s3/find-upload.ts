import type { Call, S3 } from "./types.ts";
import { S3Error } from "./s3-error.ts";
import type { Upload } from "./upload-store.ts";
import * as Xml from "./xml.ts";

export function findUpload(s3: S3, { bucket, key, query }: Call): Upload {
  const id = query.get("uploadId") ?? "";
  const upload = s3.uploads.find(bucket.name, key, id);
  if (upload) return upload;
  throw new S3Error(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId: id },
  );
}

export const uploadElements = ({ bucket, key }: Call) => [
  Xml.element("Bucket", bucket.name),
  Xml.element("Key", key),
];
