import { randomUUID } from "node:crypto";

import type { InvokeResult } from "../lambda/invoke-result.ts";
import { recorded, traceHeader } from "./backend-call.ts";
import type { BackendCall } from "./backend-call.ts";
import type { Exchange } from "./request-context.ts";
import type { Parts } from "./dependencies.ts";

/** Calls a function for a request; it carries the request's trace on. */
export function invoke(
  { functions }: Parts,
  exchange: Exchange,
  of: BackendCall["of"],
  functionArn: string,
  payload: string,
  options: { stream?: boolean; signal?: AbortSignal } = {},
): Promise<InvokeResult> {
  const requestId = randomUUID();
  return recorded(exchange, { of, service: "Lambda", functionArn, requestId }, async (call) => {
    const result = await functions.invoke(functionArn, payload, {
      ...options,
      requestId,
      traceHeader: traceHeader(exchange, call),
      onColdStart: () => void (call.isCold = true),
    });
    call.status = result.kind === "throttled" ? 429 : 200;
    if (result.kind === "error") call.error = result.errorMessage;
    return result;
  });
}
