import * as TraceHeader from "../xray/trace-header.ts";
import { realTimeMs } from "../xray/segment.ts";
import type { BackendCall, RequestContext } from "./types.ts";
import { GatewayError } from "./gateway-error.ts";

/** Returns `X-Amzn-Trace-Id` for the callee. */
export const traceHeader = ({ trace }: Pick<RequestContext, "trace">, { id }: { id: string }) =>
  TraceHeader.format(trace.root, id, trace.isSampled, trace.lineage);

/** Runs a call and records its times, status and error in the request context. */
export async function recordCall<Result>(
  context: RequestContext,
  call: Omit<BackendCall, "id" | "startedAtMs">,
  run: (call: BackendCall) => Promise<Result>,
): Promise<Result> {
  // the client receives the trace header of the integration, so that id exists from the beginning
  const id = call.purpose === "integration" ? context.trace.callId : TraceHeader.newId();
  const record: BackendCall = { ...call, id, startedAtMs: realTimeMs() };
  context.backendCalls.push(record);
  try {
    return await run(record);
  } catch (error) {
    const cause = error instanceof GatewayError ? (error.cause ?? error) : error;
    record.error = cause instanceof Error ? cause.message : String(cause);
    throw error;
  } finally {
    record.endedAtMs = realTimeMs();
  }
}
