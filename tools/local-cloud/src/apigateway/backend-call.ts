import * as TraceHeader from "../xray/trace-header.ts";
import { realTimeMs } from "../xray/segment.ts";
import type { Exchange } from "./request-context.ts";
import { Refusal } from "./refusal.ts";

/** One call that the gateway makes for a request: what the access log, the log's line and the trace say of it. */
export type BackendCall = {
  /** Of its subsegment; what is called has it as parent. */
  id: string;
  of: "integration" | "authorizer";
  service: "Lambda" | "S3" | "HTTP";
  /** Lambda's id of the invocation, S3's of the request. */
  requestId?: string | undefined;
  functionArn?: string;
  isCold?: boolean;
  started: number;
  ended?: number;
  /** What the service answered, not what came back from the code in it. */
  status?: number | undefined;
  error?: string;
};

/** `X-Amzn-Trace-Id` for what is called. */
export const traceHeader = ({ trace }: Pick<Exchange, "trace">, { id }: { id: string }) =>
  TraceHeader.format(trace.root, id, trace.isSampled, trace.lineage);

/** Runs a call and writes down when and how it went. */
export async function recorded<Result>(
  exchange: Exchange,
  call: Omit<BackendCall, "id" | "started">,
  run: (call: BackendCall) => Promise<Result>,
): Promise<Result> {
  // the client gets the header of the integration, so its id is known from the beginning
  const id = call.of === "integration" ? exchange.trace.callId : TraceHeader.newId();
  const begun: BackendCall = { ...call, id, started: realTimeMs() };
  exchange.calls.push(begun);
  try {
    return await run(begun);
  } catch (error) {
    const cause = error instanceof Refusal ? (error.cause ?? error) : error;
    begun.error = cause instanceof Error ? cause.message : String(cause);
    throw error;
  } finally {
    begun.ended = realTimeMs();
  }
}
