import * as TraceHeader from "./trace-header.ts";
import { type Subsegment, toSeconds, realTimeMs } from "./segment.ts";
import type { TraceStore } from "./trace-store.ts";

/** A function as it appears in its traces. */
export type TracedFunction = {
  /** The physical name. */
  name: string;
  arn: string;
  /** `tracingConfig`: Active decides if the caller has not, PassThrough follows the caller. */
  isActive: boolean;
};

/** Milliseconds since the epoch. */
export type InvocationTimes = {
  /** The start of the process, if this invocation waited for it. */
  init?: { start: number; end: number } | undefined;
  /** The handler's run; undefined if no process received the event. */
  invoke?: { start: number; end: number } | undefined;
};

/** What a trace records of an invocation's result. */
type Outcome =
  | { kind: "ok" | "stream" | "throttled" }
  | { kind: "error"; errorType: string; errorMessage: string };

export type InvocationTrace = {
  /** The function's `_X_AMZN_TRACE_ID`: calls of the function have its segment as parent. */
  header: string;
  finish(requestId: string, times: InvocationTimes, result: Outcome): void;
};

/**
 * Records two segments, as Lambda does: one of the service that receives the event, one of the function that handles it.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
 */
export function traceInvocation(
  traces: TraceStore | undefined,
  { name, arn, isActive }: TracedFunction,
  sent: string | undefined,
  links: string[] = [],
): InvocationTrace {
  const { root = TraceHeader.newRoot(), parent, isSampled, lineage } = TraceHeader.parse(sent);
  const isTraced = isSampled ?? (isActive && (traces?.sample() ?? true));
  const [serviceId, functionId] = [TraceHeader.newId(), TraceHeader.newId()];
  const header = TraceHeader.format(root, functionId, isTraced, lineage);
  const accepted = realTimeMs();
  return {
    header,
    finish(requestId, { init, invoke }, result) {
      if (!traces || !isTraced || !TraceHeader.isRoot(root)) return;
      const ended = realTimeMs();
      const [start_time, end_time] = [toSeconds(accepted), toSeconds(invoke?.end ?? ended)];
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
        ...(links.length > 0 && { links: links.flatMap(linkTo) }),
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
        start_time: toSeconds(start),
        end_time,
        aws: { function_arn: arn, account_id: arn.split(":")[4], resource_names: [name] },
        ...errorOf(result),
        subsegments: [
          ...(init ? [subsegment("Initialization", start, init.end)] : []),
          subsegment("Invocation", invoke.start, invoke.end),
        ],
      });
    },
  };
}

const subsegment = (name: string, start: number, end: number): Subsegment => ({
  id: TraceHeader.newId(),
  name,
  start_time: toSeconds(start),
  end_time: toSeconds(end),
});

function errorOf(result: Outcome): Pick<Subsegment, "fault" | "cause"> {
  if (result.kind !== "error") return {};
  const { errorType: type, errorMessage: message } = result;
  return { fault: true, cause: { exceptions: [{ id: TraceHeader.newId(), type, message }] } };
}

function linkTo(sent: string) {
  const { root, parent } = TraceHeader.parse(sent);
  return TraceHeader.isRoot(root) && TraceHeader.isId(parent)
    ? [{ trace_id: root, id: parent }]
    : [];
}
