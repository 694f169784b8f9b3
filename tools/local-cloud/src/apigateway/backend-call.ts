import * as TraceHeader from "../xray/trace-header.ts";
import { realTimeMs } from "../xray/segment.ts";
import type { RequestContext } from "./request-context.ts";
import { GatewayError } from "./gateway-error.ts";

/** One call that the gateway makes for a request, as the access log, the console log and the trace report it. */
export type BackendCall = {
  /** Id of its trace subsegment, which is the parent of the callee's segment. */
  id: string;
  purpose: "integration" | "authorizer";
  service: "Lambda" | "S3" | "HTTP";
  /** The id of Lambda's invocation or of the S3 request. */
  requestId?: string | undefined;
  functionArn?: string;
  isCold?: boolean;
  startedAtMs: number;
  endedAtMs?: number;
  /** The status of the service, not of the code that runs in it. */
  status?: number | undefined;
  error?: string;
};

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
