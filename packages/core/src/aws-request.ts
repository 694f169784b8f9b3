import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import aws4 from "aws4";

// AWS requests that a visitor waits for, signed and sent without the SDK: docs/adr/0019-calls-without-the-sdk.md

// an `import` of node:http reads all of its exports, and one of them makes Node load undici: 30 ms of a cold start
const http = process.getBuiltinModule("node:http");
const https = process.getBuiltinModule("node:https");

export type AwsCall = {
  service: "s3" | "dynamodb" | "sqs";
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** For S3, where each bucket has its own host name. */
  bucket?: string;
  /** Percent-encoded, starting with `/`; for S3 the key of the object in the bucket. */
  path: string;
  /** A header that is undefined is not sent. */
  headers?: Record<string, string | undefined>;
  body?: Uint8Array | string;
};

export type AwsResponse = {
  /** Below 400. */
  status: number;
  headers: IncomingHttpHeaders;
  /** The caller must read it to its end, or destroy it. */
  body: IncomingMessage;
};

/** AWS answered with a status of 400 or more. `code` is AWS's error code, "" if there is none (as after a HEAD). */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly status: number;
  readonly code: string;
  readonly body: string;
  /** True if an earlier attempt of the same request had no answer, so that AWS may have done it already. */
  isAfterLostAnswer = false;

  constructor({ service, method }: AwsCall, status: number, body: string) {
    // S3 answers in XML; the others in JSON, where the code follows the name of the API version
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

/** As in the SDK's standard retry mode: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const MAX_ATTEMPTS = 3;
const BASE_BACKOFF_MS = 50;
/** How long the connection may be idle: before the response, and between two parts of it. */
const TIMEOUT_MS = { s3: 10_000, dynamodb: 5_000, sqs: 5_000 };
/** The same within a body that is read as fast as it arrives: a pause then is AWS's or the network's. */
const BODY_TIMEOUT_MS = 3_000;
const MAX_SOCKETS = 50;

/**
 * The response of AWS, with a status below 400. Errors that may be temporary are tried again, three attempts in all.
 * Rejects with an `AwsError`, a timeout or another network error.
 */
export const send = (call: AwsCall): Promise<AwsResponse> => withRetries(() => sendOnce(call));

/**
 * The whole body of the response. A body that breaks off or stops is tried again, too, so the call must be one that may be
 * carried out twice. Rejects as `send` does.
 */
export const sendAndRead = (call: AwsCall): Promise<Buffer> =>
  withRetries(async () => readAtOnce(await sendOnce(call)));

async function readAtOnce({ body }: AwsResponse): Promise<Buffer> {
  limitPauses(body);
  return readBody(body);
}

/** Makes a body that is read as fast as it arrives fail when it stops for a few seconds. */
export const limitPauses = ({ socket }: IncomingMessage): void =>
  void socket.setTimeout(BODY_TIMEOUT_MS);

async function withRetries<Result>(work: () => Promise<Result>): Promise<Result> {
  let isAfterLostAnswer = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AwsError) error.isAfterLostAnswer = isAfterLostAnswer;
      if (attempt === MAX_ATTEMPTS || !isTemporary(error)) throw error;
      // an answer below 500 says that nothing was done
      isAfterLostAnswer ||= !(error instanceof AwsError) || error.status >= 500;
    }
    await sleep(Math.random() * BASE_BACKOFF_MS * 2 ** attempt);
  }
}

/** Whether the same call may succeed a moment later. */
export function isTemporary(error: unknown): boolean {
  // node's network errors have the code of the system error
  if (!(error instanceof AwsError)) return error instanceof Error && "code" in error;
  const { status, code } = error;
  return (
    status >= 500 ||
    status === 429 ||
    // a transaction writes the item at this moment, or the repeated transaction is still being made
    /Throttl|Throughput|RequestLimit|RequestConflict|TransactionConflict|TransactionInProgress/.test(
      code,
    )
  );
}

async function sendOnce(call: AwsCall): Promise<AwsResponse> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { signed, isSecure } = sign(call);
    const { request } = isSecure ? https : http;
    const outgoing = request(signed, resolve);
    const limit = TIMEOUT_MS[call.service];
    outgoing.setTimeout(limit, () =>
      outgoing.destroy(
        new TimeoutError(`No response from ${NAMES[call.service]} within ${limit} ms`),
      ),
    );
    // a request may emit several errors; without a listener the second one would end the process
    outgoing.on("error", reject);
    outgoing.end(call.body);
  });
  const { statusCode: status = 0, headers } = response;
  if (status < 400) return { status, headers, body: response };
  throw new AwsError(call, status, String(await readBody(response)));
}

const NAMES = { s3: "S3", dynamodb: "DynamoDB", sqs: "SQS" };

/** All bytes that are still to come. Rejects if the connection ends before the body does. (Node's own `buffer` makes a Blob first.) */
export const readBody = async (body: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const agentOptions = { keepAlive: true, maxSockets: MAX_SOCKETS };
const agents = { http: new http.Agent(agentOptions), https: new https.Agent(agentOptions) };

/** The URL of a request without a body of its own, signed for `seconds`. Who uses it must send the call's headers, too. */
export function presign({ service, bucket, method, path, headers }: AwsCall, seconds: number) {
  const region = process.env["AWS_REGION"] ?? "";
  const { origin, prefix } = getEndpoint(service, region, bucket);
  const signed = aws4.sign(
    {
      service,
      region,
      method,
      path: `${prefix}${path}${path.includes("?") ? "&" : "?"}X-Amz-Expires=${seconds}`,
      headers: { host: origin.host, ...(headers as Record<string, string>) },
      signQuery: true,
    },
    roleCredentials(),
  );
  return origin.origin + signed.path!;
}

function sign({ service, bucket, body, method, ...call }: AwsCall) {
  const region = process.env["AWS_REGION"] ?? "";
  const { origin, prefix } = getEndpoint(service, region, bucket);
  const isSecure = origin.protocol === "https:";
  const headers = Object.entries({
    ...call.headers,
    // not signed, because proxies may change it; X-Ray needs it to show the request
    "x-amzn-trace-id": process.env["_X_AMZN_TRACE_ID"],
  }).filter(([, value]) => value !== undefined);
  const options = {
    method,
    hostname: origin.hostname,
    port: origin.port || undefined,
    path: prefix + call.path,
    headers: {
      host: origin.host,
      ...(Object.fromEntries(headers) as Record<string, string>),
      ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
    },
    agent: isSecure ? agents.https : agents.http,
    body,
  };
  const signed: RequestOptions = aws4.sign(
    { ...options, service, region } as aws4.Request,
    roleCredentials(),
  );
  return { signed, isSecure };
}

/** Lambda puts the credentials of the function's role into the environment; they are valid as long as the process lives: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function roleCredentials(): aws4.Credentials {
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

/**
 * The origin of a service in a region, and the prefix of every path there. `AWS_ENDPOINT_URL_S3` and the like replace it, or
 * `AWS_ENDPOINT_URL` for all services, as in the SDK; then the bucket is in the path and not in the host name.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function getEndpoint(service: AwsCall["service"], region: string, bucket?: string) {
  const configured = getConfiguredEndpoint(service);
  if (configured) return { origin: new URL(configured), prefix: bucket ? `/${bucket}` : "" };
  const host = [...(bucket ? [bucket] : []), service, region, domainOf(region)].join(".");
  return { origin: new URL(`https://${host}`), prefix: "" };
}

/** The URL that replaces a service's own; undefined if none does. */
export const getConfiguredEndpoint = (service: AwsCall["service"]): string | undefined =>
  process.env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || process.env["AWS_ENDPOINT_URL"];

/** https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const domainOf = (region: string) =>
  region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
