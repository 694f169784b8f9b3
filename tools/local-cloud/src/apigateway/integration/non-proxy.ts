import type { HttpResponse, RequestContext } from "../types.ts";
import { configurationError } from "../gateway-error.ts";
import * as Template from "../template.ts";
import { createIntegrationRequest } from "./integration-request.ts";
import { createIntegrationResponse } from "./integration-response.ts";
import type {
  NonProxySettings,
  IntegrationRequest,
  IntegrationResult,
} from "./non-proxy-settings.ts";
import { withTimeout } from "./timeout.ts";

export type Backend = (
  request: IntegrationRequest,
  context: RequestContext,
) => Promise<IntegrationResult> | IntegrationResult;

/** Returns a non-proxy integration: request mapping, backend, response mapping. */
export function nonProxyIntegration(settings: NonProxySettings, backend: Backend) {
  return async (context: RequestContext): Promise<HttpResponse> => {
    const state = Template.newState(context);
    const request = createIntegrationRequest(settings, context, state);
    const work = backend(request, context);
    const result = work instanceof Promise ? await withTimeout(settings.timeoutMs, work) : work;
    return createIntegrationResponse(settings, context, state, result);
  };
}

/** The backend of type MOCK. The template must render JSON with an integer `statusCode`; unquoted keys are accepted. [V-AWS] */
export const mockBackend: Backend = ({ body }) => {
  const text = body.toString("utf8");
  const statusCode =
    /^\s*\{[\s\S]*?["']?\bstatusCode["']?\s*:\s*(\d{3})\s*[,}](?:[\s\S]*\})?\s*$/.exec(text);
  if (!statusCode) throw configurationError(`the mock's template gives no statusCode: ${text}`);
  return { selector: statusCode[1], headers: {}, body: Buffer.alloc(0) };
};
