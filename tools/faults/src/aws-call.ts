import type { IncomingMessage } from "node:http";

/** The services as `AWS_ENDPOINT_URL_…` names them. */
export type Service = "S3" | "DYNAMODB" | "SQS";

/** One request to a service: what AWS's documentation calls an action, and what it is about. */
export type Call = {
  service: Service;
  /** `GetObject`, `UpdateItem`, `SendMessage` … */
  action: string;
  /** The object's key or the listing's prefix; the keys of the items, or the values of a query; the body of a message. */
  key: string;
};

/** Returns what a request is. DynamoDB and SQS need the body; that of S3 is not read. */
export function describeCall(service: Service, request: IncomingMessage, body: Buffer): Call {
  if (service === "S3") return { service, ...describeS3(request) };
  const action = String(request.headers["x-amz-target"] ?? "").replace(/^.*\./, "");
  const input = parseJson(body);
  const key = service === "SQS" ? messageText(input) : itemKeys(input).join(" ");
  return { service, action, key };
}

function describeS3({ method = "", url = "", headers }: IncomingMessage) {
  const { pathname, searchParams: query } = new URL(url, "http://s3");
  // the path is /bucket/key: the local cloud has no host name per bucket
  const [, , ...parts] = pathname.split("/");
  const key = decodeURIComponent(parts.join("/"));
  const prefix = query.get("prefix") ?? "";
  if (query.has("uploads") && method === "POST") return { action: "CreateMultipartUpload", key };
  const ofParts = query.has("partNumber") ? "UploadPart" : multipartActions[method];
  if (query.has("uploadId") && ofParts) return { action: ofParts, key };
  if (query.has("versions")) return { action: "ListObjectVersions", key: prefix };
  if (key === "" && method === "GET") return { action: "ListObjectsV2", key: prefix };
  if (method === "POST")
    return { action: query.has("delete") ? "DeleteObjects" : "PostObject", key };
  if (method === "PUT" && headers["x-amz-copy-source"]) return { action: "CopyObject", key };
  const verbs: Record<string, string> = { GET: "Get", HEAD: "Head", PUT: "Put", DELETE: "Delete" };
  return { action: `${verbs[method] ?? method}Object`, key };
}

/** The requests with an `uploadId`. */
const multipartActions: Record<string, string> = {
  GET: "ListParts",
  POST: "CompleteMultipartUpload",
  DELETE: "AbortMultipartUpload",
};

type Json = Record<string, unknown>;

function parseJson(body: Buffer): Json {
  try {
    return JSON.parse(body.toString()) as Json;
  } catch {
    return {};
  }
}

function messageText({ MessageBody, Entries, QueueUrl }: Json): string {
  const text = MessageBody ?? Entries ?? QueueUrl ?? "";
  return typeof text === "string" ? text : JSON.stringify(text);
}

/** The values of the key attributes `pk` and `sk` wherever the request has them, and those of a query. */
function itemKeys(input: unknown): string[] {
  if (input === null || typeof input !== "object") return [];
  return Object.entries(input).flatMap(([name, value]) => {
    const isKey = ["pk", "sk"].includes(name);
    const text = (value as { S?: unknown } | null)?.S;
    if (isKey && typeof text === "string") return [text];
    if (name !== "ExpressionAttributeValues") return itemKeys(value);
    return Object.values(value as Record<string, { S?: string }>).flatMap(({ S }) => S ?? []);
  });
}
