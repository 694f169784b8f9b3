import * as Context from "../context.ts";
import type { Answer, Exchange } from "../request-context.ts";
import * as MediaType from "../media-type.ts";
import { misconfigured } from "../refusal.ts";
import * as ResponseHeaders from "../response-headers.ts";
import * as Template from "../template.ts";
import { asText, fromBase64, render, toBase64 } from "./request.ts";
import type { Custom, CustomResponse, Result } from "./settings.ts";

/** Chooses the integration response, converts, maps and renders. */
export function respond(
  settings: Custom,
  exchange: Exchange,
  state: Template.State,
  result: Result,
): Answer {
  const response = select(settings.responses, result.selector);
  if (!response) throw misconfigured(`no integration response matches ${result.selector}`);

  const { bytes, isBinary } = converted(response, exchange, result);
  const type = MediaType.choose(response.templates, exchange.header("accept"));
  const template = type === undefined ? undefined : response.compiled[type];
  if (template && isBinary && bytes.length > 0)
    throw misconfigured("a response template cannot be applied to a binary body");
  const body = template ? render(template, bytes.toString("utf8"), state) : bytes;

  const headers = ResponseHeaders.create();
  for (const [name, source] of response.headers) {
    const value = evaluate(source, exchange, result);
    if (value !== undefined) headers.set(name, value);
  }
  const { header, status } = state.context.responseOverride;
  for (const [name, value] of Object.entries(header)) headers.set(name, String(value));
  headers.setDefault("Content-Type", type ?? "application/json");
  // absent on mocks [V-AWS]
  if (settings.kind !== "MOCK") headers.set("X-Amzn-Trace-Id", exchange.trace.header);
  return { status: overridden(status) ?? response.status, headers: headers.forCustom(), body };
}

/** A pattern must match the whole value; without a match the response without pattern serves. [V-AWS] */
function select(responses: CustomResponse[], selector: string | undefined) {
  const matched =
    selector === undefined ? undefined : responses.find(({ pattern }) => pattern?.test(selector));
  return matched ?? responses.find(({ pattern }) => pattern === undefined);
}

// ignored unless it is an integer from 100 to 599 [LocalStack's reading]
function overridden(status: unknown): number | undefined {
  const number = Number(status);
  return Number.isInteger(number) && number >= 100 && number <= 599 ? number : undefined;
}

/** Whether the payload is binary says its own type, whether the client wants binary its first Accept type. [V-AWS, S3 recordings] */
function converted({ contentHandling }: CustomResponse, exchange: Exchange, result: Result) {
  const { binaryMediaTypes } = exchange.stage.api;
  const type = Object.entries(result.headers).find(([name]) => /^content-type$/i.test(name))?.[1];
  const isBinary = MediaType.includes(binaryMediaTypes, type?.[0]);
  if (contentHandling === "CONVERT_TO_TEXT")
    return { bytes: isBinary ? toBase64(result.body) : asText(result.body), isBinary: false };
  const wantsBinary =
    contentHandling === "CONVERT_TO_BINARY" ||
    MediaType.accepts(binaryMediaTypes, exchange.header("accept"));
  if (wantsBinary)
    return { bytes: isBinary ? result.body : fromBase64(result.body), isBinary: true };
  return { bytes: isBinary ? toBase64(result.body) : asText(result.body), isBinary: false };
}

function evaluate(source: string, exchange: Exchange, result: Result): string | undefined {
  if (source.startsWith("'")) return source.slice(1, -1);
  const [, , place, ...rest] = source.split(".");
  if (!source.startsWith("integration.response.")) return Context.lookup(source, exchange);
  // names are case-sensitive here [V-DOC]
  if (place === "header") return result.headers[rest.join(".")]?.at(-1);
  if (place === "multivalueheader") return result.headers[rest.join(".")]?.join(",");
  const text = result.body.toString("utf8");
  return rest.length === 0 ? text : Template.pick(text, `$.${rest.join(".")}`);
}
