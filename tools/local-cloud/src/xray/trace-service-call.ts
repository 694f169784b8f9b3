import type { IncomingMessage, ServerResponse } from "node:http";

import * as TraceHeader from "./trace-header.ts";
import { errorFlagsOf, toSeconds, realTimeMs } from "./segment.ts";
import type { TraceStore } from "./trace-store.ts";

/** What a service adds to the trace while it handles a call. */
export type ServiceCall = { operation?: string; details?: Record<string, unknown> };

/**
 * Records a call of a service in the trace of its caller: in Lambda the SDK sends `X-Amzn-Trace-Id` with the id of the
 * function's segment as parent. The subsegment is written when the response has been sent; without a sampled trace nothing is.
 */
export function traceCall(
  traces: TraceStore | undefined,
  name: string,
  region: string,
  request: IncomingMessage,
  response: ServerResponse,
): ServiceCall {
  const call: ServiceCall = {};
  if (!traces) return call;
  const { root, parent, isSampled } = TraceHeader.parse(traceHeaderOf(request));
  if (!isSampled || !TraceHeader.isRoot(root) || !TraceHeader.isId(parent)) return call;
  const started = realTimeMs();
  response.once("close", () => {
    const status = response.headersSent ? response.statusCode : undefined;
    traces.record({
      type: "subsegment",
      id: TraceHeader.newId(),
      trace_id: root,
      parent_id: parent,
      name,
      namespace: "aws",
      start_time: toSeconds(started),
      end_time: toSeconds(realTimeMs()),
      http: { response: { ...(status !== undefined && { status }) } },
      aws: { region, ...(call.operation && { operation: call.operation }), ...call.details },
      ...(status === undefined ? { error: true } : errorFlagsOf(status)),
    });
  });
  return call;
}

export const traceHeaderOf = ({ headers }: IncomingMessage) =>
  headers["x-amzn-trace-id"]?.toString();
