import type { RequestContext } from "./request-context.ts";
import * as MediaType from "./media-type.ts";
import * as Query from "./query.ts";

/** The event of a Lambda proxy integration, to the letter of the recordings: null instead of `{}`, no `version`. [V-AWS] */
export function proxyEvent(context: RequestContext): Record<string, unknown> {
  const isBase64Encoded =
    context.body.length > 0 &&
    MediaType.includes(context.stage.api.binaryMediaTypes, context.header("content-type"));
  return {
    ...requestParts(context),
    requestContext: requestContext(context),
    // a type that is not on the list is text, and bytes that are not UTF-8 are lost
    body:
      context.body.length > 0 ? context.body.toString(isBase64Encoded ? "base64" : "utf8") : null,
    isBase64Encoded,
  };
}

/** The event of a REQUEST authorizer: the same request, without its body. */
export function authorizerEvent(
  context: RequestContext,
  methodArn: string,
): Record<string, unknown> {
  return {
    type: "REQUEST",
    methodArn,
    ...requestParts(context),
    requestContext: requestContext(context),
  };
}

function requestParts(context: RequestContext) {
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
    // absent, not null, without an authorizer
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

// dropped on the way in [V-AWS]
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
  // replaced by the gateway's own
  "x-amzn-trace-id",
  "x-forwarded-for",
  "x-forwarded-port",
  "x-forwarded-proto",
]);

// the client's casing is kept but for these [V-AWS]
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
  // the request is taken as sent over TLS: API Gateway has nothing else [V-AWS]
  put("X-Forwarded-Port", "443");
  put("X-Forwarded-Proto", "https");
  return { headers, multiValueHeaders };
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `12/Jun/2023:18:05:10 +0000` */
export function requestTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second === last.second) return last.text;
  last = { second, text: written(ms) };
  return last.text;
}

/** Many requests have the same one, and each asks several times. */
let last = { second: 0, text: written(0) };

function written(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
