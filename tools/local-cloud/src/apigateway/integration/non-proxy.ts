import type { Answer, Exchange } from "../request-context.ts";
import { misconfigured } from "../refusal.ts";
import * as Template from "../template.ts";
import { prepare } from "./request.ts";
import { respond } from "./response.ts";
import type { Custom, Request, Result } from "./settings.ts";
import { within } from "./timeout.ts";

export type Backend = (request: Request, exchange: Exchange) => Promise<Result> | Result;

/** A non-proxy integration: request mapping, backend, response mapping. */
export function custom(settings: Custom, backend: Backend) {
  return async (exchange: Exchange): Promise<Answer> => {
    const state = Template.newState(exchange);
    const request = prepare(settings, exchange, state);
    const work = backend(request, exchange);
    const result = work instanceof Promise ? await within(settings.timeoutMs, work) : work;
    return respond(settings, exchange, state, result);
  };
}

/** The template must render JSON with an integer `statusCode`; unquoted keys are accepted. [V-AWS] */
export const mock: Backend = ({ body }) => {
  const text = body.toString("utf8");
  const statusCode =
    /^\s*\{[\s\S]*?["']?\bstatusCode["']?\s*:\s*(\d{3})\s*[,}](?:[\s\S]*\})?\s*$/.exec(text);
  if (!statusCode) throw misconfigured(`the mock's template gives no statusCode: ${text}`);
  return { selector: statusCode[1], headers: {}, body: Buffer.alloc(0) };
};
