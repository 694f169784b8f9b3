import * as Context from "../context.ts";
import type { Exchange } from "../request-context.ts";
import * as MediaType from "../media-type.ts";
import { isBase64 } from "../proxy-response.ts";
import { Refusal, misconfigured } from "../refusal.ts";
import * as Template from "../template.ts";
import type { Custom, Request } from "./settings.ts";

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

/** Mapped parameters and the body after content handling and template: nothing else of the client's request goes on. */
export function prepare(settings: Custom, exchange: Exchange, state: Template.State): Request {
  const request: Request = { headers: {}, query: {}, path: {}, body: Buffer.alloc(0) };
  map(settings, exchange, request);
  request.body = body(settings, exchange, state);
  override(request, state.context.requestOverride);
  return request;
}

export function map(
  { kind, requestParameters }: Pick<Custom, "kind" | "requestParameters">,
  exchange: Exchange,
  request: Omit<Request, "body">,
) {
  const forbidden = kind === "AWS" ? FORBIDDEN_AWS : FORBIDDEN;
  for (const [target, source] of requestParameters) {
    const [, , place, ...rest] = target.split(".");
    const name = rest.join(".");
    if (place === "header" && forbidden.has(name.toLowerCase()))
      throw misconfigured(`the integration may not set the header ${name}`);
    if (source.startsWith("method.request.multivaluequerystring.") && place === "querystring") {
      const values = exchange.query?.[source.split(".").slice(3).join(".")];
      if (values) request.query[name] = values;
      continue;
    }
    const value = evaluate(source, exchange);
    if (value === undefined) continue;
    if (place === "header") request.headers[name] = value;
    else if (place === "querystring") request.query[name] = [value];
    else request.path[name] = value;
  }
}

function evaluate(source: string, exchange: Exchange): string | undefined {
  if (source.startsWith("'")) return source.slice(1, -1);
  if (!source.startsWith("method.request.body")) return Context.lookup(source, exchange);
  const text = exchange.body.toString("utf8");
  if (source === "method.request.body") return text;
  return Template.pick(text, `$${source.slice("method.request.body".length)}`);
}

function body(settings: Custom, exchange: Exchange, state: Template.State): Buffer {
  const { bytes, isBinary } = converted(settings, exchange);
  const type = exchange.header("content-type")?.split(";", 1)[0]?.trim() || "application/json";
  const template = settings.requestTemplates[type];
  if (template) {
    // a template cannot work on bytes: the reason why OPTIONS mocks break under a `*/*` binary type [V-WILD]
    if (isBinary) throw misconfigured("a request template cannot be applied to a binary body");
    return Buffer.from(render(template, bytes.toString("utf8"), state));
  }
  const { passthrough, requestTemplates } = settings;
  const isDefined = Object.keys(requestTemplates).length > 0;
  if (passthrough === "NEVER" || (passthrough === "WHEN_NO_TEMPLATES" && isDefined))
    throw new Refusal("UNSUPPORTED_MEDIA_TYPE");
  return bytes;
}

export function render(template: Template.Template, body: string, state: Template.State): string {
  try {
    return template(body, state);
  } catch (cause) {
    throw new Refusal("API_CONFIGURATION_ERROR", { cause });
  }
}

/** notes: request direction. Text that is not UTF-8 is corrupted, as in AWS. [V-AWS] */
function converted({ contentHandling }: Custom, exchange: Exchange) {
  const { binaryMediaTypes } = exchange.stage.api;
  const type = exchange.header("content-type") ?? "application/json";
  const isBinary = MediaType.includes(binaryMediaTypes, type);
  if (contentHandling === "CONVERT_TO_TEXT")
    return { bytes: isBinary ? toBase64(exchange.body) : asText(exchange.body), isBinary: false };
  if (contentHandling === "CONVERT_TO_BINARY")
    return { bytes: isBinary ? exchange.body : fromBase64(exchange.body), isBinary: true };
  return { bytes: isBinary ? exchange.body : asText(exchange.body), isBinary };
}

export const asText = (bytes: Buffer) => Buffer.from(bytes.toString("utf8"));
export const toBase64 = (bytes: Buffer) => Buffer.from(bytes.toString("base64"));

export function fromBase64(bytes: Buffer): Buffer {
  const text = bytes.toString("utf8");
  if (!isBase64(text)) throw misconfigured("the text to convert to binary is not base64");
  return Buffer.from(text, "base64");
}

function override(request: Request, overrides: Template.State["context"]["requestOverride"]) {
  for (const [name, value] of Object.entries(overrides.header))
    request.headers[name] = String(value);
  for (const [name, value] of Object.entries(overrides.path)) request.path[name] = String(value);
  for (const [name, value] of Object.entries(overrides.querystring))
    request.query[name] = [value].flat().map(String);
}
