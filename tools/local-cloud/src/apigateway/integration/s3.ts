import type { Principal } from "../../iam/principals.ts";
import { signRequest } from "../../iam/sign-request.ts";
import { recorded, traceHeader } from "../backend-call.ts";
import type { Exchange } from "../request-context.ts";
import type { Parts } from "../dependencies.ts";
import { Refusal } from "../refusal.ts";
import type { Backend } from "./non-proxy.ts";
import { fillPath, queryString, rawFields, readAll, send } from "./send.ts";

// S3's own spelling, which a mapping must hit; the wire does not promise it
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

/** Calls S3 with the integration's role, signed. Only mapped headers arrive there; Content-Type passes for methods with a body. [V-AWS] */
export function s3({ path, httpMethod, roleArn }: S3Target, parts: Parts): Backend {
  const origin = parts.endpoints.s3;
  if (!origin) throw new Error("an S3 integration needs a bucket in the resource graph");
  return async (request, exchange) => {
    const target =
      fillPath(withVariables(path, exchange), request.path) + queryString(request.query);
    const hasBody = httpMethod === "PUT" || httpMethod === "POST";
    const type = hasBody ? exchange.header("content-type") : undefined;
    const headers: Record<string, string> = {
      accept: "application/json",
      ...(type && { "content-type": type }),
      ...lowered(request.headers),
      host: new URL(origin).host,
    };
    const body = hasBody ? request.body : Buffer.alloc(0);
    const credentials = assume(roleArn, parts);
    const signature = signRequest(
      { method: httpMethod, url: target, headers, body },
      credentials,
      "s3",
      parts.graph.region,
      Date.now(),
    );
    if (hasBody) headers["content-length"] = String(body.length);
    // S3 writes the call into the trace itself, and hands the trace on with its events
    headers["x-amzn-trace-id"] = traceHeader(exchange, exchange.trace);
    const outgoing = {
      origin,
      target,
      method: httpMethod,
      headers: { ...headers, ...signature },
      body,
      signal: exchange.signal,
    };
    return recorded(exchange, { of: "integration", service: "S3" }, async (call) => {
      const response = await send(outgoing);
      call.status = response.statusCode;
      call.requestId = response.headers["x-amz-request-id"]?.toString();
      return {
        selector: String(response.statusCode),
        headers: grouped(rawFields(response)),
        body: await readAll(response),
      };
    });
  };
}

function assume(roleArn: string, { principals }: Parts): Principal {
  try {
    return principals.forRole(roleArn, "apigateway.amazonaws.com");
  } catch (cause) {
    // "API Gateway does not have permission to assume the provided role"
    throw new Refusal("API_CONFIGURATION_ERROR", { cause });
  }
}

export const withVariables = (uri: string, exchange: Exchange) =>
  uri.replace(
    /\$\{stageVariables\.(\w+)\}/g,
    (_, name: string) => exchange.stage.variables?.[name] ?? "",
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
