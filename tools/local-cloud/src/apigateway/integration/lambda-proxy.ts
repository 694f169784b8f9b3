import {
  type InvokeResult,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
} from "../../lambda/invoke-result.ts";
import { lambdaEvent } from "../event.ts";
import type { Answer, Exchange } from "../request-context.ts";
import { invoke } from "../invoke.ts";
import type { Parts } from "../dependencies.ts";
import { malformed, proxyResponse, status, streamHeaders } from "../proxy-response.ts";
import { Refusal, misconfigured } from "../refusal.ts";
import { within } from "./timeout.ts";

export type LambdaTarget = {
  functionArn: (exchange: Exchange) => string;
  /** Whether the graph lets the gateway invoke it. */
  isPermitted: (functionArn: string) => boolean;
  timeoutMs: number;
};

export function lambdaProxy(target: LambdaTarget, parts: Parts) {
  return async (exchange: Exchange): Promise<Answer> => {
    const functionArn = permitted(target, exchange);
    const invoked = invoke(parts, exchange, "integration", functionArn, event(exchange));
    const result = await within(target.timeoutMs, invoked);
    if (result.kind === "stream") throw malformed("streamed by a buffered integration");
    return proxyResponse(succeeded(result), exchange);
  };
}

/** `responseTransferMode: STREAM`: status and headers first, then bytes as they come, without the 6 MB ceiling. */
export function lambdaStream(target: LambdaTarget, parts: Parts) {
  return async (exchange: Exchange): Promise<Answer> => {
    const functionArn = permitted(target, exchange);
    const gone = new AbortController();
    const abort = () => gone.abort();
    exchange.signal?.addEventListener("abort", abort, { once: true });
    const invoked = invoke(parts, exchange, "integration", functionArn, event(exchange), {
      stream: true,
      signal: gone.signal,
    });
    const result = await within(target.timeoutMs, invoked);
    if (result.kind !== "stream") {
      succeeded(result);
      throw malformed("a streaming integration needs metadata and eight null bytes first");
    }
    return {
      status: status(result.prelude.statusCode),
      headers: streamHeaders(result.prelude, exchange),
      body: result.body,
    };
  };
}

export function permitted(target: LambdaTarget, exchange: Exchange): string {
  const functionArn = target.functionArn(exchange);
  if (target.isPermitted(functionArn)) return functionArn;
  throw misconfigured(`nothing lets API Gateway invoke ${functionArn}`);
}

export function tooLarge(payload: string) {
  return payload.length > MAX_REQUEST_BYTES || Buffer.byteLength(payload) > MAX_REQUEST_BYTES;
}

function event(exchange: Exchange): string {
  const payload = JSON.stringify(lambdaEvent(exchange));
  if (tooLarge(payload)) throw new Refusal("REQUEST_TOO_LARGE");
  return payload;
}

function succeeded(result: Exclude<InvokeResult, { kind: "stream" }>): Buffer {
  // the status of a throttled function is an open question [?]; most reports say 500
  if (result.kind === "throttled") throw misconfigured("the function is throttled");
  if (result.kind === "error") throw malformed(`${result.errorType}: ${result.errorMessage}`);
  if (result.payload.length > MAX_RESPONSE_BYTES) throw malformed("the response is over 6 MB");
  return result.payload;
}
