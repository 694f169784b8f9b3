import { randomUUID } from "node:crypto";

import { realTimeMs } from "../xray/segment.ts";
import type { InvocationTimes } from "../xray/trace-invocation.ts";
import type { InvokeResult } from "./invoke-result.ts";

/** One call of a function, from the request to the result. */
export type Invocation = {
  id: string;
  payload: Buffer;
  /** The caller reads the response as a stream. */
  stream: boolean;
  traceHeader: string;
  clientContext?: string | undefined;
  maxMemoryBytes: number;
  /** Called when a process gets the event, with the times of that process's start. */
  begin(start: { start: number; end: number }): void;
  /** Called when the process has sent the last byte of its response, or has exited. */
  end(): void;
  /** Calls `tell` with the times of the call when it has ended, or at once if no process got the event. */
  onEnd(tell: (times: InvocationTimes) => void): void;
  /** Sets the result. Only the first call counts. */
  settle(result: InvokeResult): void;
  result: Promise<InvokeResult>;
};

export type InvokeOptions = {
  stream?: boolean;
  /** Aborted when the caller disconnects: a waiting call is removed, a running one continues without a reader. */
  signal?: AbortSignal;
  clientContext?: string;
  /** `Root=…;Parent=…;Sampled=…`; a new trace when there is none. */
  traceHeader?: string;
  /** Headers of the traces that the event comes from, where it has several or none of its own. */
  links?: string[];
  /** Called when the invocation has to wait for a process to start. */
  onColdStart?: () => void;
  /** Default: a new one. An asynchronous event keeps its id over its retries. */
  requestId?: string;
};

export function createInvocation(
  payload: string | Buffer,
  options: InvokeOptions & { traceHeader: string },
): Invocation {
  const { promise, resolve } = Promise.withResolvers<InvokeResult>();
  const created = realTimeMs();
  const times: InvocationTimes = {};
  let over: ((times: InvocationTimes) => void) | undefined;
  return {
    id: options.requestId ?? randomUUID(),
    payload: Buffer.from(payload),
    stream: options.stream ?? false,
    traceHeader: options.traceHeader,
    clientContext: options.clientContext,
    maxMemoryBytes: 0,
    begin(start) {
      // the call did not wait for a process that was ready before it
      const init = start.end > created ? start : undefined;
      if (init) options.onColdStart?.();
      times.init = init;
      times.invoke = { start: realTimeMs(), end: 0 };
    },
    end() {
      if (!times.invoke || times.invoke.end) return;
      times.invoke.end = realTimeMs();
      over?.(times);
    },
    onEnd(tell) {
      over = tell;
      if (!times.invoke || times.invoke.end) tell(times);
    },
    settle: resolve,
    result: promise,
  };
}
