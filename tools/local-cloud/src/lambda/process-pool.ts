import { setTimeout as sleep } from "node:timers/promises";

import type { Invocation } from "./invocation.ts";
import type { FunctionProcess } from "./function-process.ts";
import type { InvokeResult } from "./invoke-result.ts";

/** An idle process keeps its memory; after this long without an event it is ended. */
const MAX_IDLE_MS = 5 * 60_000;

export type ProcessPool = {
  invoke(invocation: Invocation): Promise<InvokeResult>;
  /** Removes a call that waits for a process; false if one has it already. */
  cancel(invocation: Invocation): boolean;
  /** Ends the processes with old code, at once or after their event. */
  replaceProcesses(): void;
  /** Kills the processes that have worked on an event for so long, as running out of memory does. Returns how many. */
  killBusy(busyForMs: number): number;
  stop(): Promise<void>;
};

type Options = {
  /** The most processes. Further calls wait, because more processes than cores make every call slower. */
  size: number;
  /** Reserved concurrency: the most calls, waiting ones included. */
  reserved: number | undefined;
  /** Refuses calls beyond `size` instead of letting them wait. */
  throttle: boolean;
  start: (events: ProcessEvents) => FunctionProcess;
};

type ProcessEvents = {
  onIdle: (process: FunctionProcess) => void;
  onEnd: (process: FunctionProcess, initFailure?: InvokeResult) => void;
};

/** The processes of one function and the calls that wait for a process. */
export function createProcessPool({ size, reserved, throttle, start }: Options): ProcessPool {
  const processes = new Set<FunctionProcess>();
  /** Processes with old code that process their last event. */
  const retired = new Set<FunctionProcess>();
  const idle: FunctionProcess[] = [];
  const waiting: Invocation[] = [];
  let stopped = false;
  const idleTimer = setInterval(endIdleProcesses, MAX_IDLE_MS / 5);
  idleTimer.unref();

  return {
    async invoke(invocation) {
      const limit = Math.min(reserved ?? Infinity, throttle ? size : Infinity);
      if (waiting.length + count("busy") >= limit) return { kind: "throttled" };
      waiting.push(invocation);
      dispatch();
      return invocation.result;
    },
    cancel(invocation) {
      const index = waiting.indexOf(invocation);
      if (index >= 0) waiting.splice(index, 1);
      return index >= 0;
    },
    replaceProcesses() {
      const isUsed = processes.size > 0;
      for (const process of processes) retired.add(process);
      processes.clear();
      idle.length = 0;
      for (const process of retired) process.retire();
      // the next call of a function in use must not wait for a cold start
      if (isUsed) startOne();
    },
    killBusy(busyForMs) {
      const before = Date.now() - busyForMs;
      const busy = [...processes, ...retired].filter(
        ({ state, busySince }) => state === "busy" && busySince <= before,
      );
      for (const process of busy) process.kill();
      return busy.length;
    },
    async stop() {
      stopped = true;
      clearInterval(idleTimer);
      const all = [...processes, ...retired];
      for (const process of all) process.kill();
      while (all.some(({ state }) => state !== "ended")) await sleep(2);
    },
  };

  function dispatch() {
    while (waiting.length > 0 && idle.length > 0) idle.pop()!.run(waiting.shift()!);
    if (stopped) return;
    while (count("starting") < waiting.length && processes.size < size) startOne();
  }

  function startOne() {
    processes.add(start({ onIdle, onEnd }));
  }

  function onIdle(process: FunctionProcess) {
    idle.push(process);
    dispatch();
  }

  function onEnd(process: FunctionProcess, initFailure?: InvokeResult) {
    processes.delete(process);
    retired.delete(process);
    const index = idle.indexOf(process);
    if (index >= 0) idle.splice(index, 1);
    // as in Lambda, the call that caused the start gets the error
    if (initFailure) waiting.shift()?.settle(initFailure);
    dispatch();
  }

  function count(state: FunctionProcess["state"]) {
    let found = 0;
    for (const process of processes) if (process.state === state) found += 1;
    return found;
  }

  function endIdleProcesses() {
    const before = Date.now() - MAX_IDLE_MS;
    for (const process of idle.filter(({ idleSince }) => idleSince < before)) process.kill();
  }
}
