import { randomUUID } from "node:crypto";

import type { InvokeResult } from "../lambda/invoke-result.ts";
import { recordCall, traceHeader } from "./backend-call.ts";
import type { BackendCall, RequestContext } from "./types.ts";
import type { Dependencies } from "./dependencies.ts";

/** Invokes a function for a request, as part of the request's trace, and records the call. */
export function invokeFunction(
  { functions }: Dependencies,
  context: RequestContext,
  purpose: BackendCall["purpose"],
  functionArn: string,
  payload: string,
  options: { stream?: boolean; signal?: AbortSignal } = {},
): Promise<InvokeResult> {
  const requestId = randomUUID();
  return recordCall(
    context,
    { purpose, service: "Lambda", functionArn, requestId },
    async (call) => {
      const result = await functions.invoke(functionArn, payload, {
        ...options,
        requestId,
        traceHeader: traceHeader(context, call),
        onColdStart: () => void (call.isCold = true),
      });
      call.status = result.kind === "throttled" ? 429 : 200;
      if (result.kind === "error") call.error = result.errorMessage;
      return result;
    },
  );
}
