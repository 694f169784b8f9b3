import type { Principal } from "../iam/principals.ts";
import type { Verified } from "../iam/verify-signature.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import type { Blobs } from "./blob-files.ts";
import type { Bucket } from "./bucket.ts";
import type { Store } from "./store.ts";
import type { Uploads } from "./upload-store.ts";

/** The state and services that every action uses. */
export type S3 = {
  graph: ResourceGraph;
  clock: Clock;
  log: Log;
  buckets: Map<string, Bucket>;
  blobs: Blobs;
  store: Store;
  uploads: Uploads;
  principals: { find(accessKeyId: string): Principal | undefined };
  notify(bucket: string, record: EventRecord, traceHeader?: string): void;
  traces?: TraceStore | undefined;
};

/** The principal of a request and how it was authenticated; without a principal the request is anonymous. */
export type Caller = {
  principal?: Principal;
  seed?: Verified<Principal>["seed"];
  payloadHash?: string;
  how: "anonymous" | "REST-HEADER" | "REST-QUERY-STRING" | "POST";
};

/** A request as the actions receive it. */
export type Call = {
  method: string;
  bucket: Bucket;
  /** Empty for a request to the bucket itself. */
  key: string;
  query: Map<string, string>;
  /** Lower case; on a presigned URL with the `x-amz-` parameters of its query, which S3 reads as headers. */
  headers: Record<string, string | undefined>;
  caller: Caller;
  requestId: string;
  hostId: string;
  sourceIp: string;
  /** `X-Amzn-Trace-Id`, which is passed on with events. */
  traceHeader: string | undefined;
  /** The bytes as they arrive; sends `100 Continue` first if the client waits for it. */
  body(): AsyncIterable<Buffer>;
};

export type Answer = {
  status?: number;
  headers?: Record<string, string | undefined>;
  body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Called once, when the response was sent or the client has disconnected. */
  close?(): void;
};

export type Action = (s3: S3, call: Call) => Answer | Promise<Answer>;

/** A request to the service, which names no bucket. */
export type ServiceRequest = Omit<Call, "bucket" | "key">;

export type ServiceAction = (s3: S3, request: ServiceRequest) => Answer;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export type EventRecord = {
  eventVersion: string;
  eventSource: "aws:s3";
  awsRegion: string;
  eventTime: string;
  eventName: EventName;
  userIdentity: { principalId: string };
  requestParameters: { sourceIPAddress: string };
  responseElements: { "x-amz-request-id": string; "x-amz-id-2": string };
  s3: {
    s3SchemaVersion: "1.0";
    bucket: { name: string; ownerIdentity: { principalId: string }; arn: string };
    object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer: string };
  };
};

export type EventName =
  | `ObjectCreated:${"Put" | "Post" | "Copy" | "CompleteMultipartUpload"}`
  | `ObjectRemoved:${"Delete" | "DeleteMarkerCreated"}`
  | `LifecycleExpiration:${"Delete" | "DeleteMarkerCreated"}`;
