import {
  type InvokeResult,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
} from "../../lambda/invoke-result.ts";
import { proxyEvent } from "../lambda-event.ts";
import type { HttpResponse, RequestContext } from "../types.ts";
import { invokeFunction } from "../invoke-function.ts";
import type { Dependencies } from "../dependencies.ts";
import { malformedProxyResponse, proxyResponse, status, streamHeaders } from "../proxy-response.ts";
import { GatewayError, configurationError } from "../gateway-error.ts";
import { withTimeout } from "./timeout.ts";

export type LambdaTarget = {
  functionArn: (context: RequestContext) => string;
  /** Whether the graph lets the gateway invoke it. */
  isPermitted: (functionArn: string) => boolean;
  timeoutMs: number;
};

/** Returns the integration of type AWS_PROXY, buffered. */
export function lambdaProxyIntegration(target: LambdaTarget, dependencies: Dependencies) {
  return async (context: RequestContext): Promise<HttpResponse> => {
    const functionArn = permittedFunctionArn(target, context);
    const invoked = invokeFunction(
      dependencies,
      context,
      "integration",
      functionArn,
      event(context),
    );
    const result = await withTimeout(target.timeoutMs, invoked);
    if (result.kind === "stream")
      throw malformedProxyResponse("streamed by a buffered integration");
    return proxyResponse(succeeded(result), context);
  };
}

/** Returns the integration with `responseTransferMode: STREAM`: status and headers first, then bytes as they arrive, without the 6 MB limit. */
export function lambdaStreamIntegration(target: LambdaTarget, dependencies: Dependencies) {
  return async (context: RequestContext): Promise<HttpResponse> => {
    const functionArn = permittedFunctionArn(target, context);
    const gone = new AbortController();
    const abort = () => gone.abort();
    context.signal?.addEventListener("abort", abort, { once: true });
    const invoked = invokeFunction(
      dependencies,
      context,
      "integration",
      functionArn,
      event(context),
      {
        stream: true,
        signal: gone.signal,
      },
    );
    const result = await withTimeout(target.timeoutMs, invoked);
    if (result.kind !== "stream") {
      succeeded(result);
      throw malformedProxyResponse(
        "a streaming integration needs metadata and eight null bytes first",
      );
    }
    return {
      status: status(result.prelude.statusCode),
      headers: streamHeaders(result.prelude, context),
      body: result.body,
    };
  };
}

export function permittedFunctionArn(target: LambdaTarget, context: RequestContext): string {
  const functionArn = target.functionArn(context);
  if (target.isPermitted(functionArn)) return functionArn;
  throw configurationError(
    `neither a permission nor a role lets API Gateway invoke ${functionArn}`,
  );
}

export function isTooLarge(payload: string) {
  return payload.length > MAX_REQUEST_BYTES || Buffer.byteLength(payload) > MAX_REQUEST_BYTES;
}

function event(context: RequestContext): string {
  const payload = JSON.stringify(proxyEvent(context));
  if (isTooLarge(payload)) throw new GatewayError("REQUEST_TOO_LARGE");
  return payload;
}

function succeeded(result: Exclude<InvokeResult, { kind: "stream" }>): Buffer {
  // Lambda's 429 becomes a 500 [V-WILD]: https://repost.aws/questions/QUfI6bsdd0SOiPeyimzxSkfQ
  if (result.kind === "throttled") throw configurationError("the function is throttled");
  if (result.kind === "error")
    throw malformedProxyResponse(`${result.errorType}: ${result.errorMessage}`);
  if (result.payload.length > MAX_RESPONSE_BYTES)
    throw malformedProxyResponse("the response is over 6 MB");
  return result.payload;
}
