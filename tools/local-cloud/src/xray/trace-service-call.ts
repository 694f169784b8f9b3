import type { IncomingMessage, ServerResponse } from "node:http";

import * as TraceHeader from "./trace-header.ts";
import { judged, seconds, wallMs } from "./segment.ts";
import type { Traces } from "./trace-store.ts";

/** What a service learns of a call while it works on it. */
export type ServiceCall = { operation?: string; about?: Record<string, unknown> };

/**
 * A call of a service in the trace of its caller: in Lambda the SDK sends `X-Amzn-Trace-Id` by itself, with the id of the
 * function's segment as parent. The segment is written when the answer is out; undefined when nobody traces the call.
 */
export function traceCall(
  traces: Traces | undefined,
  name: string,
  region: string,
  request: IncomingMessage,
  response: ServerResponse,
): ServiceCall {
  const call: ServiceCall = {};
  if (!traces) return call;
  const { root, parent, isSampled } = TraceHeader.parse(headerOf(request));
  if (!isSampled || !TraceHeader.isRoot(root) || !TraceHeader.isId(parent)) return call;
  const started = wallMs();
  response.once("close", () => {
    const status = response.headersSent ? response.statusCode : undefined;
    traces.record({
      type: "subsegment",
      id: TraceHeader.newId(),
      trace_id: root,
      parent_id: parent,
      name,
      namespace: "aws",
      start_time: seconds(started),
      end_time: seconds(wallMs()),
      http: { response: { ...(status !== undefined && { status }) } },
      aws: { region, ...(call.operation && { operation: call.operation }), ...call.about },
      ...(status === undefined ? { error: true } : judged(status)),
    });
  });
  return call;
}

export const headerOf = ({ headers }: IncomingMessage) => headers["x-amzn-trace-id"]?.toString();
