import { randomUUID } from "node:crypto";

import { realTimeMs } from "../xray/segment.ts";
import type { InvocationTimes } from "../xray/trace-invocation.ts";
import type { InvokeResult } from "./result.ts";

/** One call of a function, from the moment it is asked for to its answer. */
export type Invocation = {
  id: string;
  payload: Buffer;
  /** The caller takes a response as it is written. */
  stream: boolean;
  traceHeader: string;
  clientContext?: string | undefined;
  maxMemoryBytes: number;
  /** A process got it; with the times of its own start. */
  begin(start: { start: number; end: number }): void;
  /** The process has answered, to the last byte of a stream, or has died. */
  end(): void;
  /** Calls back with when what happened: when it has ended, or now if no process ever got it. */
  whenOver(tell: (times: InvocationTimes) => void): void;
  /** The first answer counts. */
  settle(result: InvokeResult): void;
  result: Promise<InvokeResult>;
};

export type InvokeOptions = {
  stream?: boolean;
  /** The caller left: a call that waits is dropped, one that runs goes on unheard. */
  signal?: AbortSignal;
  clientContext?: string;
  /** `Root=…;Parent=…;Sampled=…`; a new trace when there is none. */
  traceHeader?: string;
  /** Headers of the traces that the event comes from, where it has several or none of its own. */
  links?: string[];
  /** Called when the invocation has to wait for a process to start. */
  onColdStart?: () => void;
  /** Defaults to a new one; an asynchronous event keeps its id over its retries. */
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
      // a process that was there before the call is not what the call waited for
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
    whenOver(tell) {
      over = tell;
      if (!times.invoke || times.invoke.end) tell(times);
    },
    settle: resolve,
    result: promise,
  };
}
