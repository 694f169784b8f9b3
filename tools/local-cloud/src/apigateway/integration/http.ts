import { recordCall } from "../backend-call.ts";
import type { HttpResponse, RequestContext } from "../types.ts";
import * as ResponseHeaders from "../response-headers.ts";
import type { Backend } from "./non-proxy.ts";
import { applyParameterMappings } from "./integration-request.ts";
import { fillStageVariables } from "./s3.ts";
import {
  fillPath,
  queryString,
  rawResponseFields,
  readResponseBody,
  sendRequest,
} from "./send-request.ts";
import type { NonProxySettings } from "./non-proxy-settings.ts";
import { withTimeout } from "./timeout.ts";

export type HttpTarget = { uri: string; httpMethod: string };

/** Returns the backend of type HTTP: it sends only mapped parameters and the rendered template. */
export function httpBackend({ uri, httpMethod }: HttpTarget): Backend {
  return async (request, context) => {
    const { origin, target } = place(uri, request.path, request.query, context);
    const type = context.header("content-type");
    const headers: Record<string, string> = {
      accept: "application/json",
      ...(type && { "content-type": type }),
      "x-amzn-apigateway-api-id": context.stage.api.id,
      ...request.headers,
      "content-length": String(request.body.length),
    };
    const { signal } = context;
    const method = methodOf(httpMethod, context);
    return recordCall(context, { purpose: "integration", service: "HTTP" }, async (call) => {
      const response = await sendRequest({
        origin,
        target,
        method,
        headers,
        body: request.body,
        signal,
      });
      call.status = response.statusCode;
      const fields: Record<string, string[]> = {};
      for (const [name, value] of rawResponseFields(response)) (fields[name] ??= []).push(value);
      return {
        selector: String(response.statusCode),
        headers: fields,
        body: await readResponseBody(response),
      };
    });
  };
}

// hop-by-hop headers, and those that the gateway sets itself
const HOP = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Returns the integration of type HTTP_PROXY: it forwards the request with mapped parameters added, and returns the response unchanged. */
export function httpProxyIntegration(
  { uri, httpMethod }: HttpTarget,
  settings: Pick<NonProxySettings, "kind" | "requestParameters" | "timeoutMs"> & {
    stream: boolean;
  },
) {
  return async (context: RequestContext): Promise<HttpResponse> => {
    const mapped = {
      headers: {} as Record<string, string>,
      path: {} as Record<string, string>,
      query: { ...context.query },
    };
    applyParameterMappings(settings, context, mapped);
    const { origin, target } = place(uri, mapped.path, mapped.query, context);
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of context.headers) {
      const lower = name.toLowerCase();
      if (!HOP.has(lower)) headers[lower] = [headers[lower] ?? [], value].flat();
    }
    for (const [name, value] of Object.entries(mapped.headers)) headers[name.toLowerCase()] = value;
    headers["x-amzn-apigateway-api-id"] = context.stage.api.id;
    headers["x-amzn-trace-id"] = context.trace.header;
    if (context.body.length > 0) headers["content-length"] = String(context.body.length);
    const { body, signal } = context;
    const method = methodOf(httpMethod, context);
    const sent = recordCall(context, { purpose: "integration", service: "HTTP" }, async (call) => {
      const response = await sendRequest({ origin, target, method, headers, body, signal });
      call.status = response.statusCode;
      return response;
    });
    const response = await withTimeout(settings.timeoutMs, sent);
    const headersOut = ResponseHeaders.create();
    for (const [name, value] of rawResponseFields(response))
      if (!/^(keep-alive|transfer-encoding)$/i.test(name)) headersOut.append(name, value);
    return {
      status: response.statusCode ?? 200,
      headers: headersOut.forProxy(undefined),
      body: settings.stream
        ? response
        : await withTimeout(settings.timeoutMs, readResponseBody(response)),
    };
  };
}

const methodOf = (declared: string, context: RequestContext) =>
  declared === "ANY" ? context.httpMethod : declared;

function place(
  uri: string,
  path: Record<string, string>,
  query: Record<string, string[]>,
  context: RequestContext,
) {
  const whole = fillPath(fillStageVariables(uri, context), path);
  const [, origin = "", rest = ""] = /^(https?:\/\/[^/?]+)(.*)$/.exec(whole) ?? [];
  const extra = queryString(query);
  const joined = rest.includes("?") ? extra.replace("?", "&") : extra;
  return { origin, target: `${rest.startsWith("/") ? rest : `/${rest}`}${joined}` };
}
