import type { APIGatewayProxyEvent } from "aws-lambda";

type Parts = {
  query?: Record<string, string[]>;
  headers?: Record<string, string | string[]>;
  body?: string | Uint8Array | object;
  /** Who the Cognito authorizer says is calling. */
  sub?: string;
  stage?: string;
};

/** The event of a Lambda proxy integration of a REST API, with every key that the gateway sends. */
export function restEvent(method: string, path: string, parts: Parts = {}): APIGatewayProxyEvent {
  const { query, sub, stage = "test" } = parts;
  const sent = Object.entries(parts.headers ?? {});
  const many = sent.map(([name, value]) => [name, Array.isArray(value) ? value : [value]] as const);
  const isBytes = parts.body instanceof Uint8Array;
  return {
    resource: path,
    path,
    httpMethod: method,
    headers: Object.fromEntries(many.map(([name, values]) => [name, values.at(-1)])),
    multiValueHeaders: Object.fromEntries(many.map(([name, values]) => [name, [...values]])),
    queryStringParameters: query
      ? Object.fromEntries(Object.entries(query).map(([name, values]) => [name, values.at(-1)]))
      : null,
    multiValueQueryStringParameters: query ?? null,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      accountId: "123456789012",
      apiId: "api0000000",
      authorizer: sub ? { claims: { sub, token_use: "id", "cognito:username": sub } } : undefined,
      domainName: "api0000000.execute-api.eu-central-1.amazonaws.com",
      httpMethod: method,
      identity: { sourceIp: "192.0.2.1" } as APIGatewayProxyEvent["requestContext"]["identity"],
      path: `/${stage}${path}`,
      protocol: "HTTP/1.1",
      requestId: "11111111-2222-4333-8444-555555555555",
      requestTimeEpoch: 1795219200000,
      resourceId: "res000",
      resourcePath: path,
      stage,
    },
    body: text(parts.body),
    isBase64Encoded: isBytes,
  };
}

function text(body: Parts["body"]) {
  if (body === undefined) return null;
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString("base64");
  return JSON.stringify(body);
}
