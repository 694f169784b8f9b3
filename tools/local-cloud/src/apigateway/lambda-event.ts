import type { RequestContext } from "./types.ts";
import * as MediaType from "./media-type.ts";
import * as Query from "./query.ts";

/** Returns the event of a Lambda proxy integration, exactly as recorded: null instead of `{}`, no `version`. [V-AWS] */
export function proxyEvent(context: RequestContext): Record<string, unknown> {
  const isBase64Encoded =
    context.body.length > 0 &&
    MediaType.includes(context.stage.api.binaryMediaTypes, context.header("content-type"));
  return {
    ...requestFields(context),
    requestContext: requestContext(context),
    // a body whose type is not binary is decoded as UTF-8, which corrupts other bytes
    body:
      context.body.length > 0 ? context.body.toString(isBase64Encoded ? "base64" : "utf8") : null,
    isBase64Encoded,
  };
}

/** Returns the event of a REQUEST authorizer: the request without its body. */
export function authorizerEvent(
  context: RequestContext,
  methodArn: string,
): Record<string, unknown> {
  return {
    type: "REQUEST",
    methodArn,
    ...requestFields(context),
    requestContext: requestContext(context),
  };
}

function requestFields(context: RequestContext) {
  const { headers, multiValueHeaders } = headersOf(context);
  return {
    resource: context.method.resourcePath,
    path: context.path,
    httpMethod: context.httpMethod,
    headers,
    multiValueHeaders,
    queryStringParameters: context.query && Query.lastValues(context.query),
    multiValueQueryStringParameters: context.query,
    pathParameters: context.pathParameters,
    stageVariables: context.stage.variables,
  };
}

export function requestContext(context: RequestContext): Record<string, unknown> {
  const { identity, stage, method } = context;
  const domainName = context.header("host")?.replace(/:\d+$/, "") ?? "";
  return {
    resourceId: method.resourceId,
    // without an authorizer the key is absent, not null
    ...(context.authorizer && { authorizer: context.authorizer }),
    resourcePath: method.resourcePath,
    httpMethod: context.httpMethod,
    extendedRequestId: context.extendedRequestId,
    requestTime: requestTime(context.time),
    path: context.fullPath,
    accountId: stage.api.executionArn.split(":")[4],
    protocol: "HTTP/1.1",
    stage: stage.name,
    domainPrefix: domainName.split(".")[0],
    requestTimeEpoch: context.time,
    requestId: context.requestId,
    identity: {
      cognitoIdentityPoolId: null,
      accountId: identity.accountId,
      cognitoIdentityId: null,
      caller: identity.caller,
      sourceIp: identity.sourceIp,
      principalOrgId: null,
      accessKey: identity.accessKey,
      cognitoAuthenticationType: null,
      cognitoAuthenticationProvider: null,
      userArn: identity.userArn,
      userAgent: identity.userAgent,
      user: identity.user,
      // present only on methods that require a key [V-DOC]
      ...(identity.apiKey !== undefined && {
        apiKey: identity.apiKey,
        apiKeyId: identity.apiKeyId,
      }),
    },
    domainName,
    deploymentId: stage.deploymentId,
    apiId: stage.api.id,
  };
}

// not passed to the function [V-AWS]
const DROPPED = new Set([
  "connection",
  "content-length",
  "content-md5",
  "expect",
  "max-forwards",
  "proxy-authenticate",
  "server",
  "te",
  "transfer-encoding",
  "trailer",
  "upgrade",
  "www-authenticate",
  // replaced by those of the gateway
  "x-amzn-trace-id",
  "x-forwarded-for",
  "x-forwarded-port",
  "x-forwarded-proto",
]);

// all other headers keep the client's casing [V-AWS]
const CANONICAL: Record<string, string> = {
  authorization: "Authorization",
  "user-agent": "User-Agent",
  host: "Host",
};

function headersOf(context: RequestContext) {
  const headers: Record<string, string> = Object.create(null);
  const multiValueHeaders: Record<string, string[]> = Object.create(null);
  const put = (name: string, value: string) => {
    headers[name] = value;
    (multiValueHeaders[name] ??= []).push(value);
  };
  for (const [name, value] of context.headers) {
    const lower = name.toLowerCase();
    if (DROPPED.has(lower)) continue;
    if (lower === "authorization" && value.startsWith("AWS4-")) continue; // never shown to the backend [V-DOC]
    put(CANONICAL[lower] ?? name, value);
  }
  const before = context.header("x-forwarded-for");
  const { sourceIp } = context.identity;
  put("X-Amzn-Trace-Id", context.trace.header);
  put("X-Forwarded-For", before ? `${before}, ${sourceIp}` : sourceIp);
  // requests are treated as sent over TLS, because API Gateway accepts nothing else [V-AWS]
  put("X-Forwarded-Port", "443");
  put("X-Forwarded-Proto", "https");
  return { headers, multiValueHeaders };
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Returns a time as `12/Jun/2023:18:05:10 +0000`. */
export function requestTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second === last.second) return last.text;
  last = { second, text: formatRequestTime(ms) };
  return last.text;
}

/** The last result: many requests share a second, and each needs it several times. */
let last = { second: 0, text: formatRequestTime(0) };

function formatRequestTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
