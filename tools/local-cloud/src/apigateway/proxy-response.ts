import type { HttpResponse, RequestContext } from "./types.ts";
import * as MediaType from "./media-type.ts";
import { GatewayError, configurationError } from "./gateway-error.ts";
import * as ResponseHeaders from "./response-headers.ts";

/** Returns the response for the result of a Lambda proxy function. @throws GatewayError if it is malformed. [V-AWS test_aws_proxy_response_payload_format_validation] */
export function proxyResponse(payload: Buffer, context: RequestContext): HttpResponse {
  const result = parse(payload);
  const headers = ResponseHeaders.create();
  // multiValueHeaders decide the casing, and their values come first
  for (const [name, values] of Object.entries(
    object(result.multiValueHeaders, "multiValueHeaders"),
  )) {
    if (!Array.isArray(values))
      throw malformedProxyResponse(`multiValueHeaders.${name} is not a list`);
    for (const value of values) headers.append(name, text(value, name));
  }
  for (const [name, value] of Object.entries(object(result.headers, "headers")))
    headers.append(name, text(value, name));
  return {
    status: status(result.statusCode),
    headers: headers.forProxy(context),
    body: body(result, context),
  };
}

/** Returns the headers of a streamed response, whose prelude has the same fields. */
export function streamHeaders(
  prelude: {
    headers?: Record<string, unknown> | undefined;
    multiValueHeaders?: Record<string, unknown> | undefined;
    cookies?: string[] | undefined;
  },
  context: RequestContext,
): HttpResponse["headers"] {
  const headers = ResponseHeaders.create();
  for (const [name, values] of Object.entries(prelude.multiValueHeaders ?? {}))
    for (const value of [values].flat()) headers.append(name, text(value, name));
  for (const [name, value] of Object.entries(prelude.headers ?? {}))
    headers.append(name, text(value, name));
  for (const cookie of prelude.cookies ?? []) headers.append("Set-Cookie", cookie);
  return headers.forProxy(context);
}

/** Returns the status. 1xx is malformed, because the client would wait for a final response. */
export function status(value: unknown): number {
  if (value === undefined || value === null) return 200;
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 200 || number > 599)
    throw malformedProxyResponse(`statusCode ${JSON.stringify(value)}`);
  return number;
}

/** Decodes base64 only if the first Accept type is a binary media type; the response's type does not matter. [V-AWS test_aws_proxy_binary_response] */
function body(result: Result, context: RequestContext): HttpResponse["body"] {
  const { body, isBase64Encoded } = result;
  if (body === undefined || body === null) return "";
  if (typeof body !== "string") throw malformedProxyResponse("body is not a string");
  if (
    isBase64Encoded !== undefined &&
    isBase64Encoded !== null &&
    typeof isBase64Encoded !== "boolean"
  )
    throw malformedProxyResponse("isBase64Encoded is not a boolean");
  const { binaryMediaTypes } = context.stage.api;
  if (!isBase64Encoded || !MediaType.accepts(binaryMediaTypes, context.header("accept")))
    return body;
  if (!isBase64(body)) throw configurationError("isBase64Encoded is true, the body is not base64");
  return Buffer.from(body, "base64");
}

type Result = Record<(typeof KEYS)[number], unknown>;

const KEYS = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"] as const;

function parse(payload: Buffer): Result {
  let result: unknown;
  try {
    result = JSON.parse(payload.toString("utf8"));
  } catch {
    throw malformedProxyResponse("not JSON");
  }
  if (typeof result !== "object" || result === null || Array.isArray(result))
    throw malformedProxyResponse("not an object");
  const unknown = Object.keys(result).find((key) => !(KEYS as readonly string[]).includes(key));
  if (unknown !== undefined)
    throw malformedProxyResponse(`"${unknown}" is not a key of a proxy response`);
  return result as Result;
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw malformedProxyResponse(`${name} is not an object`);
  return value as Record<string, unknown>;
}

function text(value: unknown, name: string): string {
  if (!FIELD_NAME.test(name)) throw malformedProxyResponse(`"${name}" is not the name of a header`);
  // booleans pass [V-AWS]; numbers are not documented [?] and are sent as text
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return String(value);
  throw malformedProxyResponse(`header ${name} is ${JSON.stringify(value)}`);
}

// RFC 9110, token
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Returns whether Java would decode the text: padding may be missing, but a single letter at the end is invalid. */
export const isBase64 = (text: string) => {
  const whole = text.trimEnd();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(whole)) return false;
  return whole.endsWith("=") ? whole.length % 4 === 0 : whole.length % 4 !== 1;
};

/** Returns the 502 that API Gateway logs as "Malformed Lambda proxy response". */
export const malformedProxyResponse = (why: string) =>
  new GatewayError("INTEGRATION_FAILURE", {
    status: 502,
    text: "Internal server error",
    cause: new Error(`malformed Lambda proxy response: ${why}`),
  });
