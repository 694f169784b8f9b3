import { recorded } from "../backend-call.ts";
import type { Answer, Exchange } from "../request-context.ts";
import * as ResponseHeaders from "../response-headers.ts";
import type { Backend } from "./non-proxy.ts";
import { map } from "./request.ts";
import { withVariables } from "./s3.ts";
import { fillPath, queryString, rawFields, readAll, send } from "./send.ts";
import type { Custom } from "./settings.ts";
import { within } from "./timeout.ts";

export type HttpTarget = { uri: string; httpMethod: string };

/** HTTP: a request made of mapped parameters and template only. */
export function http({ uri, httpMethod }: HttpTarget): Backend {
  return async (request, exchange) => {
    const { origin, target } = place(uri, request.path, request.query, exchange);
    const type = exchange.header("content-type");
    const headers: Record<string, string> = {
      accept: "application/json",
      ...(type && { "content-type": type }),
      "x-amzn-apigateway-api-id": exchange.stage.api.id,
      ...request.headers,
      "content-length": String(request.body.length),
    };
    const { signal } = exchange;
    const method = methodOf(httpMethod, exchange);
    return recorded(exchange, { of: "integration", service: "HTTP" }, async (call) => {
      const response = await send({ origin, target, method, headers, body: request.body, signal });
      call.status = response.statusCode;
      const fields: Record<string, string[]> = {};
      for (const [name, value] of rawFields(response)) (fields[name] ??= []).push(value);
      return {
        selector: String(response.statusCode),
        headers: fields,
        body: await readAll(response),
      };
    });
  };
}

// taken out on the way to the backend, or belonging to one hop
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

/** HTTP_PROXY: the client's request goes on, with mapped parameters on top, and the answer comes back as it is. */
export function httpProxy(
  { uri, httpMethod }: HttpTarget,
  settings: Pick<Custom, "kind" | "requestParameters" | "timeoutMs"> & { stream: boolean },
) {
  return async (exchange: Exchange): Promise<Answer> => {
    const mapped = {
      headers: {} as Record<string, string>,
      path: {} as Record<string, string>,
      query: { ...exchange.query },
    };
    map(settings, exchange, mapped);
    const { origin, target } = place(uri, mapped.path, mapped.query, exchange);
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of exchange.headers) {
      const lower = name.toLowerCase();
      if (!HOP.has(lower)) headers[lower] = [headers[lower] ?? [], value].flat();
    }
    for (const [name, value] of Object.entries(mapped.headers)) headers[name.toLowerCase()] = value;
    headers["x-amzn-apigateway-api-id"] = exchange.stage.api.id;
    headers["x-amzn-trace-id"] = exchange.trace.header;
    if (exchange.body.length > 0) headers["content-length"] = String(exchange.body.length);
    const { body, signal } = exchange;
    const method = methodOf(httpMethod, exchange);
    const sent = recorded(exchange, { of: "integration", service: "HTTP" }, async (call) => {
      const response = await send({ origin, target, method, headers, body, signal });
      call.status = response.statusCode;
      return response;
    });
    const response = await within(settings.timeoutMs, sent);
    const answer = ResponseHeaders.create();
    for (const [name, value] of rawFields(response))
      if (!/^(keep-alive|transfer-encoding)$/i.test(name)) answer.append(name, value);
    return {
      status: response.statusCode ?? 200,
      headers: answer.forProxy(undefined),
      body: settings.stream ? response : await within(settings.timeoutMs, readAll(response)),
    };
  };
}

const methodOf = (declared: string, exchange: Exchange) =>
  declared === "ANY" ? exchange.httpMethod : declared;

function place(
  uri: string,
  path: Record<string, string>,
  query: Record<string, string[]>,
  exchange: Exchange,
) {
  const whole = fillPath(withVariables(uri, exchange), path);
  const [, origin = "", rest = ""] = /^(https?:\/\/[^/?]+)(.*)$/.exec(whole) ?? [];
  const extra = queryString(query);
  const joined = rest.includes("?") ? extra.replace("?", "&") : extra;
  return { origin, target: `${rest.startsWith("/") ? rest : `/${rest}`}${joined}` };
}
