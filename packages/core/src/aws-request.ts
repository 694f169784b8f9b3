import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import aws4 from "aws4";

// Calls that a visitor waits for, signed and sent without the SDK: docs/adr/0019-calls-without-the-sdk.md

// an `import` of node:http asks it for each of its exports, and with one of them Node loads undici: 30 ms of a cold start
const http = process.getBuiltinModule("node:http");
const https = process.getBuiltinModule("node:https");

export type Call = {
  service: "s3" | "dynamodb";
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** S3 has each bucket at a host of its own. */
  bucket?: string;
  /** Percent-encoded, from `/` on; of the object's key in the bucket. */
  path: string;
  /** An undefined one is not sent. */
  headers?: Record<string, string | undefined>;
  body?: Uint8Array | string;
};

export type Reply = {
  /** Below 400. */
  status: number;
  headers: IncomingHttpHeaders;
  /** To be read to its end, or destroyed. */
  body: IncomingMessage;
};

/** AWS said no. `code` is its word for why, "" where it has none (as after a HEAD). */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly status: number;
  readonly code: string;
  readonly body: string;

  constructor({ service, method }: Call, status: number, body: string) {
    // XML's in S3; in DynamoDB's JSON it follows the name of a version
    const [, inXml, inJson] = /<Code>(\w+)<|"__type":"[^"#]*#?(\w+)"/.exec(body) ?? [];
    const code = inXml ?? inJson ?? "";
    super(`${service} answered ${method} with ${status} ${code} ${body.slice(0, 500)}`);
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

class TimeoutError extends Error {
  readonly code = "ETIMEDOUT";
}

/** As the SDK's standard mode has it: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const ATTEMPTS = 3;
const BACKOFF_MS = 50;
/** Of silence: before an answer, and between two pieces of it. */
const PATIENCE_MS = { s3: 10_000, dynamodb: 5_000 };

/** The answer; a failure that may pass is tried again. Throws `AwsError`, or what the network says. */
export async function send(call: Call): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sendOnce(call);
    } catch (error) {
      if (attempt === ATTEMPTS || !mayPass(error)) throw error;
    }
    await sleep(Math.random() * BACKOFF_MS * 2 ** attempt);
  }
}

function mayPass(error: unknown): boolean {
  // node's errors of the network have a code of the system
  if (!(error instanceof AwsError)) return error instanceof Error && "code" in error;
  const { status, code } = error;
  return (
    status >= 500 || status === 429 || /Throttl|Throughput|RequestLimit|RequestConflict/.test(code)
  );
}

async function sendOnce(call: Call): Promise<Reply> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const { signed, isSecure } = sign(call);
    const { request } = isSecure ? https : http;
    const sent = request(signed, resolve);
    const late = () => sent.destroy(new TimeoutError(`${call.service} was silent for too long`));
    sent.setTimeout(PATIENCE_MS[call.service], late);
    // more than one may come
    sent.on("error", reject);
    sent.end(call.body);
  });
  const { statusCode: status = 0, headers } = reply;
  if (status < 400) return { status, headers, body: reply };
  throw new AwsError(call, status, String(await bytes(reply)));
}

/** Everything that is still to come; node's own `buffer` goes round by a Blob. */
export const bytes = async (body: IncomingMessage): Promise<Buffer> =>
  Buffer.concat((await body.toArray()) as Buffer[]);

const keptAlive = { keepAlive: true, maxSockets: 50 };
const agents = { http: new http.Agent(keptAlive), https: new https.Agent(keptAlive) };

function sign({ service, bucket, body, method, ...call }: Call) {
  const region = process.env["AWS_REGION"] ?? "";
  const { origin, prefix } = locate(service, region, bucket);
  const isSecure = origin.protocol === "https:";
  const given = Object.entries({
    ...call.headers,
    // not signed, because proxies may change it; X-Ray draws the call from it
    "x-amzn-trace-id": process.env["_X_AMZN_TRACE_ID"],
  }).filter(([, value]) => value !== undefined);
  const options = {
    method,
    hostname: origin.hostname,
    port: origin.port || undefined,
    path: prefix + call.path,
    headers: {
      host: origin.host,
      ...(Object.fromEntries(given) as Record<string, string>),
      ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
    },
    agent: isSecure ? agents.https : agents.http,
    body,
  };
  const signed: RequestOptions = aws4.sign({ ...options, service, region } as aws4.Request, role());
  return { signed, isSecure };
}

/** Lambda puts its role into the environment, for as long as the process lives. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function role(): aws4.Credentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = process.env;
  if (!accessKeyId || !secretAccessKey)
    throw new Error(
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; a Lambda function has both",
    );
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** Where a service is. On a laptop the environment says it, in the SDK's words, and a bucket has no host of its own. */
export function locate(service: Call["service"], region: string, bucket: string | undefined) {
  const local = process.env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`];
  if (local) return { origin: new URL(local), prefix: bucket ? `/${bucket}` : "" };
  const host = [...(bucket ? [bucket] : []), service, region, domain(region)].join(".");
  return { origin: new URL(`https://${host}`), prefix: "" };
}

/** https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const domain = (region: string) =>
  region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
