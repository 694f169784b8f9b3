import { randomBytes, randomUUID } from "node:crypto";

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
  /** performance.now() when a process got it. */
  started?: number;
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
  /** Defaults to a new one; an asynchronous event keeps its id over its retries. */
  requestId?: string;
};

export function createInvocation(payload: string | Buffer, options: InvokeOptions): Invocation {
  const { promise, resolve } = Promise.withResolvers<InvokeResult>();
  return {
    id: options.requestId ?? randomUUID(),
    payload: Buffer.from(payload),
    stream: options.stream ?? false,
    traceHeader: options.traceHeader ?? newTrace(),
    clientContext: options.clientContext,
    maxMemoryBytes: 0,
    settle: resolve,
    result: promise,
  };
}

function newTrace() {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  const hex = randomBytes(20).toString("hex");
  return `Root=1-${seconds}-${hex.slice(0, 24)};Parent=${hex.slice(24)};Sampled=1`;
}
