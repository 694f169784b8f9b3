import * as Access from "./access.ts";
import type { Action } from "./types.ts";
import * as ObjectEvents from "./object-events.ts";
import { actionOf, deleteVersion, demandMatch } from "./delete-version.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
export const deleteObject: Action = (s3, call) => {
  const versionId = call.query.get("versionId");
  Access.assertAllowed(s3, call, actionOf(versionId));
  const removed = s3.store.transaction(() => {
    const { bucket, key } = call;
    const target = versionId
      ? s3.store.version(bucket.name, key, versionId)
      : s3.store.current(bucket.name, key);
    if (call.headers["if-match"] !== undefined) demandMatch(call, target);
    return deleteVersion(s3, ObjectEvents.causeOf(call), bucket, key, versionId);
  });
  return {
    status: 204,
    headers: {
      ...(removed?.marker && { "x-amz-delete-marker": "true" }),
      ...(removed && call.bucket.versioning && { "x-amz-version-id": removed.versionId }),
    },
  };
};
