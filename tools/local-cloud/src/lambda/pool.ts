import { setTimeout as sleep } from "node:timers/promises";

import type { Invocation } from "./invocation.ts";
import type { FunctionProcess } from "./process.ts";
import type { InvokeResult } from "./result.ts";

/** An idle process keeps its memory; after this long without an event it is worth more to the laptop than to the function. */
const idleMs = 5 * 60_000;

export type Pool = {
  invoke(invocation: Invocation): Promise<InvokeResult>;
  /** Takes a call back that no process has got yet. */
  withdraw(invocation: Invocation): boolean;
  /** New code: processes with the old end, at once or after their event. */
  renew(): void;
  stop(): Promise<void>;
};

type Options = {
  /** Processes at most; what comes beyond waits, because more processes than cores make every call slower. */
  size: number;
  /** Reserved concurrency: calls at most, waiting ones included. */
  reserved: number | undefined;
  /** Refuse what exceeds `size` instead of letting it wait. */
  throttle: boolean;
  start: (events: ProcessEvents) => FunctionProcess;
};

type ProcessEvents = {
  onIdle: (process: FunctionProcess) => void;
  onEnd: (process: FunctionProcess, initFailure?: InvokeResult) => void;
};

/** The processes of one function and the calls that wait for one. */
export function createPool({ size, reserved, throttle, start }: Options): Pool {
  const processes = new Set<FunctionProcess>();
  /** Those with old code, at work on their last event. */
  const retired = new Set<FunctionProcess>();
  const idle: FunctionProcess[] = [];
  const waiting: Invocation[] = [];
  let stopped = false;
  const reaper = setInterval(reap, idleMs / 5);
  reaper.unref();

  return {
    async invoke(invocation) {
      const limit = Math.min(reserved ?? Infinity, throttle ? size : Infinity);
      if (waiting.length + count("busy") >= limit) return { kind: "throttled" };
      waiting.push(invocation);
      dispatch();
      return invocation.result;
    },
    withdraw(invocation) {
      const index = waiting.indexOf(invocation);
      if (index >= 0) waiting.splice(index, 1);
      return index >= 0;
    },
    renew() {
      const isUsed = processes.size > 0;
      for (const process of processes) retired.add(process);
      processes.clear();
      idle.length = 0;
      for (const process of retired) process.retire();
      // the next caller of a function in use should not wait for a cold start
      if (isUsed) startOne();
    },
    async stop() {
      stopped = true;
      clearInterval(reaper);
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
    // Lambda gives the error of a failed start to the call that caused it
    if (initFailure) waiting.shift()?.settle(initFailure);
    dispatch();
  }

  function count(state: FunctionProcess["state"]) {
    let found = 0;
    for (const process of processes) if (process.state === state) found += 1;
    return found;
  }

  function reap() {
    const before = Date.now() - idleMs;
    for (const process of idle.filter(({ idleSince }) => idleSince < before)) process.kill();
  }
}
