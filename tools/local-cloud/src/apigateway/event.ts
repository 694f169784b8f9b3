import type { Exchange } from "./request-context.ts";
import * as MediaType from "./media-type.ts";
import * as Query from "./query.ts";

/** The event of a Lambda proxy integration, to the letter of the recordings: null instead of `{}`, no `version`. [V-AWS] */
export function lambdaEvent(exchange: Exchange): Record<string, unknown> {
  const isBase64Encoded =
    exchange.body.length > 0 &&
    MediaType.includes(exchange.stage.api.binaryMediaTypes, exchange.header("content-type"));
  return {
    ...requestParts(exchange),
    requestContext: requestContext(exchange),
    // a type that is not on the list is text, and bytes that are not UTF-8 are lost
    body:
      exchange.body.length > 0 ? exchange.body.toString(isBase64Encoded ? "base64" : "utf8") : null,
    isBase64Encoded,
  };
}

/** The event of a REQUEST authorizer: the same request, without its body. */
export function authorizerEvent(exchange: Exchange, methodArn: string): Record<string, unknown> {
  return {
    type: "REQUEST",
    methodArn,
    ...requestParts(exchange),
    requestContext: requestContext(exchange),
  };
}

function requestParts(exchange: Exchange) {
  const { headers, multiValueHeaders } = headersOf(exchange);
  return {
    resource: exchange.method.resourcePath,
    path: exchange.path,
    httpMethod: exchange.httpMethod,
    headers,
    multiValueHeaders,
    queryStringParameters: exchange.query && Query.last(exchange.query),
    multiValueQueryStringParameters: exchange.query,
    pathParameters: exchange.pathParameters,
    stageVariables: exchange.stage.variables,
  };
}

export function requestContext(exchange: Exchange): Record<string, unknown> {
  const { identity, stage, method } = exchange;
  const domainName = exchange.header("host")?.replace(/:\d+$/, "") ?? "";
  return {
    resourceId: method.resourceId,
    // absent, not null, without an authorizer
    ...(exchange.authorizer && { authorizer: exchange.authorizer }),
    resourcePath: method.resourcePath,
    httpMethod: exchange.httpMethod,
    extendedRequestId: exchange.extendedRequestId,
    requestTime: requestTime(exchange.time),
    path: exchange.fullPath,
    accountId: stage.api.executionArn.split(":")[4],
    protocol: "HTTP/1.1",
    stage: stage.name,
    domainPrefix: domainName.split(".")[0],
    requestTimeEpoch: exchange.time,
    requestId: exchange.requestId,
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

function headersOf(exchange: Exchange) {
  const headers: Record<string, string> = Object.create(null);
  const multiValueHeaders: Record<string, string[]> = Object.create(null);
  const put = (name: string, value: string) => {
    headers[name] = value;
    (multiValueHeaders[name] ??= []).push(value);
  };
  for (const [name, value] of exchange.headers) {
    const lower = name.toLowerCase();
    if (DROPPED.has(lower)) continue;
    if (lower === "authorization" && value.startsWith("AWS4-")) continue; // never shown to the backend [V-DOC]
    put(CANONICAL[lower] ?? name, value);
  }
  const before = exchange.header("x-forwarded-for");
  const { sourceIp } = exchange.identity;
  put("X-Amzn-Trace-Id", exchange.trace.header);
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
