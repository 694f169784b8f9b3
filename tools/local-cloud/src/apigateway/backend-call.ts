import * as TraceHeader from "../xray/trace-header.ts";
import { realTimeMs } from "../xray/segment.ts";
import type { RequestContext } from "./request-context.ts";
import { GatewayError } from "./gateway-error.ts";

/** One call that the gateway makes for a request: what the access log, the log's line and the trace say of it. */
export type BackendCall = {
  /** Of its subsegment; what is called has it as parent. */
  id: string;
  purpose: "integration" | "authorizer";
  service: "Lambda" | "S3" | "HTTP";
  /** Lambda's id of the invocation, S3's of the request. */
  requestId?: string | undefined;
  functionArn?: string;
  isCold?: boolean;
  startedAtMs: number;
  endedAtMs?: number;
  /** What the service answered, not what came back from the code in it. */
  status?: number | undefined;
  error?: string;
};

/** `X-Amzn-Trace-Id` for what is called. */
export const traceHeader = ({ trace }: Pick<RequestContext, "trace">, { id }: { id: string }) =>
  TraceHeader.format(trace.root, id, trace.isSampled, trace.lineage);

/** Runs a call and writes down when and how it went. */
export async function recordCall<Result>(
  context: RequestContext,
  call: Omit<BackendCall, "id" | "startedAtMs">,
  run: (call: BackendCall) => Promise<Result>,
): Promise<Result> {
  // the client gets the header of the integration, so its id is known from the beginning
  const id = call.purpose === "integration" ? context.trace.callId : TraceHeader.newId();
  const begun: BackendCall = { ...call, id, startedAtMs: realTimeMs() };
  context.backendCalls.push(begun);
  try {
    return await run(begun);
  } catch (error) {
    const cause = error instanceof GatewayError ? (error.cause ?? error) : error;
    begun.error = cause instanceof Error ? cause.message : String(cause);
    throw error;
  } finally {
    begun.endedAtMs = realTimeMs();
  }
}
