import * as MappingExpressions from "../mapping-expressions.ts";
import type { RequestContext } from "../types.ts";
import * as MediaType from "../media-type.ts";
import { isBase64 } from "../proxy-response.ts";
import { GatewayError, configurationError } from "../gateway-error.ts";
import * as Template from "../template.ts";
import type { NonProxySettings, IntegrationRequest } from "./non-proxy-settings.ts";

// refused by the service only when it is called [V-AWS]
const FORBIDDEN = new Set([
  "content-length",
  "transfer-encoding",
  "x-amzn-trace-id",
  "x-amzn-apigateway-api-id",
]);
const FORBIDDEN_AWS = new Set([
  ...FORBIDDEN,
  "authorization",
  "connection",
  "expect",
  "proxy-authenticate",
  "te",
]);

/** Returns the request to the backend: mapped parameters, and the body after content handling and template. @throws GatewayError */
export function createIntegrationRequest(
  settings: NonProxySettings,
  context: RequestContext,
  state: Template.State,
): IntegrationRequest {
  const request: IntegrationRequest = { headers: {}, query: {}, path: {}, body: Buffer.alloc(0) };
  applyParameterMappings(settings, context, request);
  request.body = body(settings, context, state);
  override(request, state.context.requestOverride);
  return request;
}

export function applyParameterMappings(
  { kind, requestParameters }: Pick<NonProxySettings, "kind" | "requestParameters">,
  context: RequestContext,
  request: Omit<IntegrationRequest, "body">,
) {
  const forbidden = kind === "AWS" ? FORBIDDEN_AWS : FORBIDDEN;
  for (const [target, source] of requestParameters) {
    const [, , place, ...rest] = target.split(".");
    const name = rest.join(".");
    if (place === "header" && forbidden.has(name.toLowerCase()))
      throw configurationError(`the integration may not set the header ${name}`);
    if (source.startsWith("method.request.multivaluequerystring.") && place === "querystring") {
      const values = context.query?.[source.split(".").slice(3).join(".")];
      if (values) request.query[name] = values;
      continue;
    }
    const value = evaluate(source, context);
    if (value === undefined) continue;
    if (place === "header") request.headers[name] = value;
    else if (place === "querystring") request.query[name] = [value];
    else request.path[name] = value;
  }
}

function evaluate(source: string, context: RequestContext): string | undefined {
  if (source.startsWith("'")) return source.slice(1, -1);
  if (!source.startsWith("method.request.body"))
    return MappingExpressions.evaluate(source, context);
  const text = context.body.toString("utf8");
  if (source === "method.request.body") return text;
  return Template.textAtJsonPath(text, `$${source.slice("method.request.body".length)}`);
}

function body(settings: NonProxySettings, context: RequestContext, state: Template.State): Buffer {
  const { bytes, isBinary } = converted(settings, context);
  const type = context.header("content-type")?.split(";", 1)[0]?.trim() || "application/json";
  const template = settings.requestTemplates[type];
  if (template) {
    // a template cannot be applied to bytes, so OPTIONS mocks fail with the binary media type `*/*` [V-WILD]
    if (isBinary) throw configurationError("a request template cannot be applied to a binary body");
    return Buffer.from(renderTemplate(template, bytes.toString("utf8"), state));
  }
  const { passthrough, requestTemplates } = settings;
  const isDefined = Object.keys(requestTemplates).length > 0;
  if (passthrough === "NEVER" || (passthrough === "WHEN_NO_TEMPLATES" && isDefined))
    throw new GatewayError("UNSUPPORTED_MEDIA_TYPE");
  return bytes;
}

export function renderTemplate(
  template: Template.Template,
  body: string,
  state: Template.State,
): string {
  try {
    return template(body, state);
  } catch (cause) {
    throw new GatewayError("API_CONFIGURATION_ERROR", { cause });
  }
}

/** Applies content handling to the request body. Text that is not UTF-8 is corrupted, as in AWS. [V-AWS] */
function converted({ contentHandling }: NonProxySettings, context: RequestContext) {
  const { binaryMediaTypes } = context.stage.api;
  const type = context.header("content-type") ?? "application/json";
  const isBinary = MediaType.includes(binaryMediaTypes, type);
  if (contentHandling === "CONVERT_TO_TEXT")
    return { bytes: isBinary ? toBase64(context.body) : asText(context.body), isBinary: false };
  if (contentHandling === "CONVERT_TO_BINARY")
    return { bytes: isBinary ? context.body : fromBase64(context.body), isBinary: true };
  return { bytes: isBinary ? context.body : asText(context.body), isBinary };
}

export const asText = (bytes: Buffer) => Buffer.from(bytes.toString("utf8"));
export const toBase64 = (bytes: Buffer) => Buffer.from(bytes.toString("base64"));

export function fromBase64(bytes: Buffer): Buffer {
  const text = bytes.toString("utf8");
  if (!isBase64(text)) throw configurationError("the text to convert to binary is not base64");
  return Buffer.from(text, "base64");
}

function override(
  request: IntegrationRequest,
  overrides: Template.State["context"]["requestOverride"],
) {
  for (const [name, value] of Object.entries(overrides.header))
    request.headers[name] = String(value);
  for (const [name, value] of Object.entries(overrides.path)) request.path[name] = String(value);
  for (const [name, value] of Object.entries(overrides.querystring))
    request.query[name] = [value].flat().map(String);
}
