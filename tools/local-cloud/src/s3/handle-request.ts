import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import * as CanonicalRequest from "../iam/canonical-request.ts";
import { type ServiceCall, traceCall } from "../xray/trace-service-call.ts";
import * as Access from "./access.ts";
import type { Bucket } from "./bucket.ts";
import type { Answer, Call, S3 } from "./types.ts";
import * as Cors from "./cors.ts";
import { S3Error, document } from "./s3-error.ts";
import * as Key from "./key.ts";
import * as Routes from "./routes.ts";

/** Answers one request. `waits` is true if the client sends its body only after `100 Continue`. */
export async function serve(
  s3: S3,
  req: IncomingMessage,
  res: ServerResponse,
  waits: boolean,
): Promise<void> {
  const started = performance.now();
  const requestId = randomBytes(8).toString("hex").toUpperCase();
  const hostId = randomBytes(36).toString("base64");
  const method = req.method ?? "GET";
  const [path = "/"] = (req.url ?? "/").split("?", 1);
  let isWaiting = waits;
  let bytes: NodeJS.AsyncIterator<Buffer> | undefined;
  const body = () => {
    if (isWaiting) res.writeContinue();
    isWaiting = false;
    // an early response must not close the connection, or the client could not read it
    bytes = req.iterator({ destroyOnReturn: false });
    return bytes;
  };

  const traced = traceCall(s3.traces, "S3", s3.graph.region, req, res);
  let cors = {};
  let answer: Answer;
  try {
    const target = locate(s3, req, path);
    if (target.bucket && method !== "OPTIONS")
      cors = Cors.headers(target.bucket, req.headers.origin, method);
    traced.details = {
      ...(target.name && { bucket_name: target.name, resource_names: [target.name] }),
      ...(target.key && { key: target.key }),
      request_id: requestId,
      id_2: hostId,
    };
    answer = await respond(s3, req, { ...target, method, requestId, hostId, body, traced });
  } catch (error) {
    if (req.errored || res.destroyed) return;
    answer = explain(s3, error, method, requestId, hostId);
  }
  try {
    const standard = { "x-amz-request-id": requestId, "x-amz-id-2": hostId, server: "AmazonS3" };
    // a client without `100 Continue` may send the body or not, so the start of the next request is unknown
    const ending = isWaiting ? { connection: "close" } : {};
    await send(res, { ...answer, headers: { ...standard, ...cors, ...ending, ...answer.headers } });
    s3.log.request({
      method,
      path,
      status: res.statusCode,
      ms: performance.now() - started,
      requestId,
    });
  } catch (error) {
    if (!res.destroyed) s3.log.error(`s3: ${method} ${path}: ${String(error)}`);
    res.destroy();
  } finally {
    answer.close?.();
    // the rest of a refused body must be read, or the next request on the connection never arrives
    await bytes?.return?.().catch(() => undefined);
    req.resume();
  }
}

type Target = { bucket: Bucket | undefined; name: string; key: string; query: Map<string, string> };

async function respond(
  s3: S3,
  req: IncomingMessage,
  {
    bucket,
    name,
    traced,
    ...target
  }: Target & Pick<Call, "method" | "requestId" | "hostId" | "body"> & { traced: ServiceCall },
): Promise<Answer> {
  const headers = Object.fromEntries(
    Object.entries(req.headers).map(([header, value]) => [header, [value].flat().join(",")]),
  );
  if (target.method === "OPTIONS") {
    if (!bucket) throw noSuchBucket(name);
    return { headers: Cors.preflight(bucket, headers) };
  }
  const caller = Access.identify(s3, { method: target.method, url: req.url ?? "/", headers });
  const sourceIp = req.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "127.0.0.1";
  const traceHeader = headers["x-amzn-trace-id"];
  const request = { ...target, headers, caller, sourceIp, traceHeader };
  if (!name) {
    const { operation, action } = Routes.findOnService(target);
    traced.operation = operation;
    return action(s3, request);
  }
  Routes.refuseBucketChange(target);
  if (!bucket) throw noSuchBucket(name);
  if (caller.how === "REST-QUERY-STRING") Object.assign(headers, hoisted(target.query));
  const owner = headers["x-amz-expected-bucket-owner"];
  if (owner !== undefined && owner !== s3.graph.account)
    throw new S3Error("AccessDenied", "Access Denied");
  Key.demand(target.key);
  const call: Call = { ...request, bucket };
  const { operation, action } = Routes.find(call);
  traced.operation = operation;
  return action(s3, call);
}

/** Bucket and key from the path; the bucket from the host if that is `bucket.…`. */
function locate({ buckets }: S3, req: IncomingMessage, path: string): Target {
  const host = req.headers.host ?? "";
  const isAddress = /^[\d.]+(:\d+)?$/.test(host);
  const named = isAddress
    ? undefined
    : [...buckets.keys()].find((name) => host.startsWith(`${name}.`));
  try {
    const decoded = decodeURIComponent(path);
    const query = new Map(CanonicalRequest.queryPairs(req.url ?? "/"));
    const [name = "", key = ""] = named
      ? [named, decoded.slice(1)]
      : decoded.slice(1).split(/\/(.*)/s, 2);
    return { bucket: buckets.get(name), name, key, query };
  } catch {
    throw new S3Error("InvalidURI", "Couldn't parse the specified URI.", { URI: path });
  }
}

/**
 * On a presigned URL the signer has put headers into the query. S3 ignores a checksum there, which the JS SDK makes of an empty body:
 * https://github.com/localstack/localstack/issues/12169, https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 */
const hoisted = (query: Map<string, string>) =>
  Object.fromEntries(
    [...query]
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(
        ([name]) =>
          name.startsWith("x-amz-") && !notHeaders.has(name) && !name.startsWith("x-amz-checksum-"),
      ),
  );

const notHeaders = new Set(
  [
    "algorithm",
    "credential",
    "date",
    "expires",
    "signedheaders",
    "signature",
    "security-token",
    "content-sha256",
    "sdk-checksum-algorithm",
  ].map((name) => `x-amz-${name}`),
);

function explain(
  s3: S3,
  error: unknown,
  method: string,
  requestId: string,
  hostId: string,
): Answer {
  const fault =
    error instanceof S3Error
      ? error
      : new S3Error("InternalError", "We encountered an internal error. Please try again.");
  if (fault !== error)
    s3.log.error(`s3: ${error instanceof Error ? error.stack : String(error)}`, { requestId });
  const headers = { ...fault.headers, "content-type": "application/xml" };
  if (method === "HEAD") return { status: fault.status, headers };
  return { status: fault.status, headers, body: document(fault, requestId, hostId) };
}

async function send(
  res: ServerResponse,
  { status = 200, headers = {}, body }: Answer,
): Promise<void> {
  const known = Object.entries(headers).filter(([, value]) => value !== undefined) as [
    string,
    string,
  ][];
  for (const [name, value] of known) res.setHeader(name, value);
  res.statusCode = status;
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array))
    return pipeline(Readable.from(body, { objectMode: false }), res);
  if (typeof body === "string" && !res.hasHeader("content-type"))
    res.setHeader("content-type", "application/xml");
  res.end(body);
}

const noSuchBucket = (name: string) =>
  new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
