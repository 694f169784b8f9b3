import * as MappingExpressions from "../mapping-expressions.ts";
import type { HttpResponse, RequestContext } from "../types.ts";
import * as MediaType from "../media-type.ts";
import { configurationError } from "../gateway-error.ts";
import * as ResponseHeaders from "../response-headers.ts";
import * as Template from "../template.ts";
import { asText, fromBase64, renderTemplate, toBase64 } from "./integration-request.ts";
import type {
  NonProxySettings,
  IntegrationResponse,
  IntegrationResult,
} from "./non-proxy-settings.ts";

/** Returns the response: chooses the integration response, applies content handling, maps headers and renders the template. @throws GatewayError */
export function createIntegrationResponse(
  settings: NonProxySettings,
  context: RequestContext,
  state: Template.State,
  result: IntegrationResult,
): HttpResponse {
  const response = select(settings.responses, result.selector);
  if (!response) throw configurationError(`no integration response matches ${result.selector}`);

  const { bytes, isBinary } = converted(response, context, result);
  const type = MediaType.choose(response.templates, context.header("accept"));
  const template = type === undefined ? undefined : response.compiled[type];
  if (template && isBinary && bytes.length > 0)
    throw configurationError("a response template cannot be applied to a binary body");
  const body = template ? renderTemplate(template, bytes.toString("utf8"), state) : bytes;

  const headers = ResponseHeaders.create();
  for (const [name, source] of response.headers) {
    const value = evaluate(source, context, result);
    if (value !== undefined) headers.set(name, value);
  }
  const { header, status } = state.context.responseOverride;
  for (const [name, value] of Object.entries(header)) headers.set(name, String(value));
  headers.setDefault("Content-Type", type ?? "application/json");
  // absent on mocks [V-AWS]
  if (settings.kind !== "MOCK") headers.set("X-Amzn-Trace-Id", context.trace.header);
  return { status: overridden(status) ?? response.status, headers: headers.forNonProxy(), body };
}

/** Returns the response whose pattern matches the whole value, else the one without a pattern. [V-AWS] */
function select(responses: IntegrationResponse[], selector: string | undefined) {
  const matched =
    selector === undefined ? undefined : responses.find(({ pattern }) => pattern?.test(selector));
  return matched ?? responses.find(({ pattern }) => pattern === undefined);
}

// ignored unless it is an integer from 100 to 599 [LocalStack's reading]
function overridden(status: unknown): number | undefined {
  const number = Number(status);
  return Number.isInteger(number) && number >= 100 && number <= 599 ? number : undefined;
}

/** Applies content handling to the body. Its Content-Type decides whether it is binary; the first Accept type decides whether the client accepts binary. [V-AWS, S3 recordings] */
function converted(
  { contentHandling }: IntegrationResponse,
  context: RequestContext,
  result: IntegrationResult,
) {
  const { binaryMediaTypes } = context.stage.api;
  const type = Object.entries(result.headers).find(([name]) => /^content-type$/i.test(name))?.[1];
  const isBinary = MediaType.includes(binaryMediaTypes, type?.[0]);
  if (contentHandling === "CONVERT_TO_TEXT")
    return { bytes: isBinary ? toBase64(result.body) : asText(result.body), isBinary: false };
  const wantsBinary =
    contentHandling === "CONVERT_TO_BINARY" ||
    MediaType.accepts(binaryMediaTypes, context.header("accept"));
  if (wantsBinary)
    return { bytes: isBinary ? result.body : fromBase64(result.body), isBinary: true };
  return { bytes: isBinary ? toBase64(result.body) : asText(result.body), isBinary: false };
}

function evaluate(
  source: string,
  context: RequestContext,
  result: IntegrationResult,
): string | undefined {
  if (source.startsWith("'")) return source.slice(1, -1);
  const [, , place, ...rest] = source.split(".");
  if (!source.startsWith("integration.response."))
    return MappingExpressions.evaluate(source, context);
  // names are case-sensitive here [V-DOC]
  if (place === "header") return result.headers[rest.join(".")]?.at(-1);
  if (place === "multivalueheader") return result.headers[rest.join(".")]?.join(",");
  const text = result.body.toString("utf8");
  return rest.length === 0 ? text : Template.textAtJsonPath(text, `$.${rest.join(".")}`);
}
