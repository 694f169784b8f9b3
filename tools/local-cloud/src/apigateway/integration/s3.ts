import type { Principal } from "../../iam/principals.ts";
import { signRequest } from "../../iam/sign-request.ts";
import { recordCall, traceHeader } from "../backend-call.ts";
import type { RequestContext } from "../types.ts";
import type { Dependencies } from "../dependencies.ts";
import { GatewayError } from "../gateway-error.ts";
import type { Backend } from "./non-proxy.ts";
import {
  fillPath,
  queryString,
  rawResponseFields,
  readResponseBody,
  sendRequest,
} from "./send-request.ts";

// the casing of S3, which a response mapping must match; a server may send another one
const CANONICAL = new Map(
  [
    "Accept-Ranges",
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Date",
    "ETag",
    "Expires",
    "Last-Modified",
    "Server",
  ].map((name) => [name.toLowerCase(), name]),
);

export type S3Target = {
  /** `/bucket/{key}`, before parameters and stage variables are filled in. */
  path: string;
  httpMethod: string;
  /** The execution role. */
  roleArn: string;
};

/** Returns the backend that calls S3, signed by the integration's role. S3 receives only mapped headers, and Content-Type for methods with a body. [V-AWS] */
export function s3Backend(
  { path, httpMethod, roleArn }: S3Target,
  dependencies: Dependencies,
): Backend {
  const origin = dependencies.endpoints.s3;
  if (!origin) throw new Error("an S3 integration needs a bucket in the resource graph");
  return async (request, context) => {
    const target =
      fillPath(fillStageVariables(path, context), request.path) + queryString(request.query);
    const hasBody = httpMethod === "PUT" || httpMethod === "POST";
    const type = hasBody ? context.header("content-type") : undefined;
    const headers: Record<string, string> = {
      accept: "application/json",
      ...(type && { "content-type": type }),
      ...lowered(request.headers),
      host: new URL(origin).host,
    };
    const body = hasBody ? request.body : Buffer.alloc(0);
    const credentials = assume(roleArn, dependencies);
    const signature = signRequest(
      { method: httpMethod, url: target, headers, body },
      credentials,
      "s3",
      dependencies.graph.region,
      Date.now(),
    );
    if (hasBody) headers["content-length"] = String(body.length);
    // S3 records the call in the trace itself, and adds the trace to its events
    headers["x-amzn-trace-id"] = traceHeader(context, context.trace);
    const outgoing = {
      origin,
      target,
      method: httpMethod,
      headers: { ...headers, ...signature },
      body,
      signal: context.signal,
    };
    return recordCall(context, { purpose: "integration", service: "S3" }, async (call) => {
      const response = await sendRequest(outgoing);
      call.status = response.statusCode;
      call.requestId = response.headers["x-amz-request-id"]?.toString();
      return {
        selector: String(response.statusCode),
        headers: grouped(rawResponseFields(response)),
        body: await readResponseBody(response),
      };
    });
  };
}

function assume(roleArn: string, { principals }: Dependencies): Principal {
  try {
    return principals.forRole(roleArn, "apigateway.amazonaws.com");
  } catch (cause) {
    // "API Gateway does not have permission to assume the provided role"
    throw new GatewayError("API_CONFIGURATION_ERROR", { cause });
  }
}

export const fillStageVariables = (uri: string, context: RequestContext) =>
  uri.replace(
    /\$\{stageVariables\.(\w+)\}/g,
    (_, name: string) => context.stage.variables?.[name] ?? "",
  );

const lowered = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function grouped(fields: [string, string][]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    (headers[CANONICAL.get(lower) ?? (lower.startsWith("x-amz-") ? lower : name)] ??= []).push(
      value,
    );
  }
  return headers;
}
