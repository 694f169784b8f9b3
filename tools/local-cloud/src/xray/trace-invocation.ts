import type { InvokeResult } from "../lambda/result.ts";
import * as TraceHeader from "./trace-header.ts";
import { type Part, seconds, wallMs } from "./segment.ts";
import type { Traces } from "./trace-store.ts";

/** A function as its traces name it. */
export type Traced = {
  /** Its physical name. */
  name: string;
  arn: string;
  /** `tracingConfig`: Active decides by itself where nobody has, PassThrough follows whoever calls. */
  isActive: boolean;
};

/** When what happened, in milliseconds since the epoch. */
export type Times = {
  /** Of the start of the process that this invocation waited for. */
  init?: { start: number; end: number } | undefined;
  /** The handler's, absent when no process ever got the event. */
  invoke?: { start: number; end: number } | undefined;
};

export type InvocationTrace = {
  /** The function's `_X_AMZN_TRACE_ID`: what it calls has its segment as parent. */
  header: string;
  finish(requestId: string, times: Times, result: InvokeResult): void;
};

/**
 * Two segments, as Lambda sends them: the service that took the event and the function that worked on it.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
 */
export function traceInvocation(
  traces: Traces | undefined,
  { name, arn, isActive }: Traced,
  sent: string | undefined,
  links: string[] = [],
): InvocationTrace {
  const { root = TraceHeader.newRoot(), parent, isSampled, lineage } = TraceHeader.parse(sent);
  const isTraced = isSampled ?? (isActive && (traces?.sample() ?? true));
  const [serviceId, functionId] = [TraceHeader.newId(), TraceHeader.newId()];
  const header = TraceHeader.format(root, functionId, isTraced, lineage);
  const accepted = wallMs();
  return {
    header,
    finish(requestId, { init, invoke }, result) {
      if (!traces || !isTraced || !TraceHeader.isRoot(root)) return;
      const ended = wallMs();
      const [start_time, end_time] = [seconds(accepted), seconds(invoke?.end ?? ended)];
      traces.record({
        trace_id: root,
        ...(TraceHeader.isId(parent) && { parent_id: parent }),
        id: serviceId,
        name,
        origin: "AWS::Lambda",
        resource_arn: arn,
        start_time,
        end_time,
        http: { response: { status: result.kind === "throttled" ? 429 : 200 } },
        aws: { request_id: requestId, function_arn: arn, resource_names: [name] },
        ...(links.length > 0 && { links: links.flatMap(linked) }),
        ...(result.kind === "throttled" && { error: true, throttle: true }),
        ...(result.kind === "error" && { fault: true }),
      });
      if (!invoke) return;
      const start = Math.max(accepted, Math.min(init?.start ?? invoke.start, invoke.start));
      traces.record({
        trace_id: root,
        parent_id: serviceId,
        id: functionId,
        name,
        origin: "AWS::Lambda::Function",
        resource_arn: arn,
        start_time: seconds(start),
        end_time,
        aws: { function_arn: arn, account_id: arn.split(":")[4], resource_names: [name] },
        ...failed(result),
        subsegments: [
          ...(init ? [part("Initialization", start, init.end)] : []),
          part("Invocation", invoke.start, invoke.end),
        ],
      });
    },
  };
}

const part = (name: string, start: number, end: number): Part => ({
  id: TraceHeader.newId(),
  name,
  start_time: seconds(start),
  end_time: seconds(end),
});

function failed(result: InvokeResult): Pick<Part, "fault" | "cause"> {
  if (result.kind !== "error") return {};
  const { errorType: type, errorMessage: message } = result;
  return { fault: true, cause: { exceptions: [{ id: TraceHeader.newId(), type, message }] } };
}

function linked(sent: string) {
  const { root, parent } = TraceHeader.parse(sent);
  return TraceHeader.isRoot(root) && TraceHeader.isId(parent)
    ? [{ trace_id: root, id: parent }]
    : [];
}
