import type { Call, EventName, EventRecord, S3 } from "./types.ts";
import type { Version } from "./store.ts";

/** The request that caused an event. */
export type Cause = Pick<Call, "bucket" | "requestId" | "hostId" | "sourceIp"> & {
  traceHeader?: string | undefined;
  principalId: string;
};

/** Sends the event of a change. Must run within the transaction of the change, so that neither exists without the other. */
export function sendEvent(s3: S3, cause: Cause, eventName: EventName, version: Version): void {
  const { bucket } = cause;
  const exists = !eventName.endsWith(":Delete");
  const record: EventRecord = {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: s3.graph.region,
    eventTime: new Date(s3.clock.now()).toISOString(),
    eventName,
    userIdentity: { principalId: cause.principalId },
    requestParameters: { sourceIPAddress: cause.sourceIp },
    responseElements: { "x-amz-request-id": cause.requestId, "x-amz-id-2": cause.hostId },
    s3: {
      s3SchemaVersion: "1.0",
      bucket: {
        name: bucket.name,
        ownerIdentity: { principalId: s3.graph.account },
        arn: bucket.arn,
      },
      object: {
        key: encodeKey(version.key),
        ...(exists && !version.marker && { size: version.size }),
        ...(exists && { eTag: version.marker ? EMPTY_MD5 : version.etag }),
        ...(bucket.versioning && { versionId: version.versionId }),
        sequencer: s3.store.nextSequencer(),
      },
    },
  };
  s3.notify(bucket.name, record, cause.traceHeader);
}

export const causeOf = (call: Call): Cause => ({
  ...call,
  principalId: call.caller.principal ? `AWS:${call.caller.principal.accessKeyId}` : "Anonymous",
});

/** The eTag of a delete marker in S3's events. */
const EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e";

/** Encodes as `java.net.URLEncoder` does, except for the slash. */
const encodeKey = (key: string) =>
  encodeURIComponent(key)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")
    .replaceAll("%2F", "/");
