import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { finished } from "node:stream/promises";

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { readBody } from "../read-body.ts";
import { realTimeMs } from "../xray/segment.ts";
import type { Bundle } from "./bundle.ts";
import type { Invocation } from "./invocation.ts";
import { printOutput } from "./print-output.ts";
import { splitPrelude } from "./streaming-prelude.ts";
import * as InvokeResult from "./invoke-result.ts";
import { type Event, type RuntimeApi } from "./runtime-api.ts";
import type { createDiskWatch } from "./disk-watch.ts";
import type { createMemoryWatch } from "./memory-watch.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: ten seconds to load, in addition to the timeout of the first event. */
const INIT_TIMEOUT_MS = 10_000;

export type FunctionProcess = {
  /** `answered`: the caller has the result, and the process has not asked for its next event. */
  state: "starting" | "idle" | "busy" | "answered" | "ended";
  /** When its last event ended, in real time. */
  idleSince: number;
  /** When it got its last event, in real time. */
  busySince: number;
  /** Only when idle. */
  run(invocation: Invocation): void;
  /** Ends the process now, or after the event that it processes. */
  retire(): void;
  kill(): void;
};

type FunctionSettings = {
  name: string;
  arn: string;
  memoryMb: number;
  diskMb: number;
  timeoutMs: number;
};

type Options = {
  settings: FunctionSettings;
  bundle: Bundle;
  environment: Record<string, string | undefined>;
  compileCache: string;
  api: RuntimeApi;
  memory: ReturnType<typeof createMemoryWatch>;
  disk: ReturnType<typeof createDiskWatch>;
  /** The folder in which each process gets a folder of its own for temporary files. */
  temporary: string;
  clock: Pick<Clock, "now">;
  log: Log;
  onIdle: (process: FunctionProcess) => void;
  /** Called when it has ended; `initFailure` if that was before its first event. */
  onEnd: (process: FunctionProcess, initFailure?: InvokeResult.InvokeResult) => void;
};

/** One process of a function, Lambda's execution environment. It processes one event at a time. */
export function startProcess(options: Options): FunctionProcess {
  const { settings, bundle, api, memory, disk, clock, log, onIdle, onEnd } = options;
  const token = randomUUID();
  const tmp = join(options.temporary, token);
  mkdirSync(tmp, { recursive: true });
  let current: Invocation | undefined;
  let deliver: ((event: Event) => void) | undefined;
  let initFailure: InvokeResult.InvokeResult | undefined;
  let endedBy: ((requestId: string) => InvokeResult.InvokeResult) | undefined;
  let retired = false;
  /** When its start began, and when it was ready for its first event. */
  const start = { start: realTimeMs(), end: 0 };
  let timer: NodeJS.Timeout | undefined = setTimeout(() => {
    endedBy = (id) => InvokeResult.timedOut(id, INIT_TIMEOUT_MS);
    self.kill();
  }, INIT_TIMEOUT_MS);

  const runtimeApi = api.register(token, {
    next(sendEvent) {
      clearTimeout(timer);
      done();
      if (!start.end) start.end = realTimeMs();
      deliver = sendEvent;
      if (retired) return self.kill();
      self.state = "idle";
      self.idleSince = Date.now();
      onIdle(self);
    },
    async response(requestId, body) {
      if (requestId === current?.id) return respond(current, body);
      await readBody(body);
      return true;
    },
    error(requestId, body) {
      if (requestId !== current?.id) return;
      answered(current, InvokeResult.functionError(body));
    },
    initError(body) {
      initFailure = InvokeResult.functionError(body);
    },
  });

  const child = spawn(
    process.execPath,
    [...flags(settings.memoryMb), bootstrap, options.compileCache, entry(bundle)],
    {
      cwd: bundle.folder,
      env: {
        ...options.environment,
        TMPDIR: tmp,
        TEMP: tmp,
        AWS_LAMBDA_RUNTIME_API: runtimeApi,
        LAMBDA_TASK_ROOT: bundle.folder,
        _HANDLER: bundle.handler,
      } as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    },
  );
  printOutput(child, settings.name, log, () => current?.id);

  const watched = {
    pid: child.pid ?? 0,
    limitBytes: settings.memoryMb * 1024 * 1024,
    used(bytes: number) {
      if (current) current.maxMemoryBytes = Math.max(current.maxMemoryBytes, bytes);
    },
    exceeded() {
      endedBy = InvokeResult.outOfMemory;
      self.kill();
    },
  };

  const watchedDisk = {
    folder: tmp,
    limitBytes: settings.diskMb * 1024 * 1024,
    exceeded() {
      endedBy = InvokeResult.outOfDisk;
      self.kill();
    },
  };

  child.once("error", (error) => {
    initFailure = InvokeResult.failure("Runtime.InvalidEntrypoint", String(error));
    end(null, null);
  });
  child.once("exit", end);

  const self: FunctionProcess = {
    state: "starting",
    idleSince: Date.now(),
    busySince: 0,
    run(invocation) {
      self.state = "busy";
      self.busySince = Date.now();
      current = invocation;
      const deadline = Date.now() + settings.timeoutMs;
      memory.add(watched);
      disk.add(watchedDisk);
      timer = setTimeout(() => {
        endedBy = (id) => InvokeResult.timedOut(id, settings.timeoutMs);
        self.kill();
      }, settings.timeoutMs);
      const { id: requestId, payload, traceHeader, clientContext } = invocation;
      invocation.begin(start);
      deliver?.({
        requestId,
        payload,
        functionArn: settings.arn,
        deadline,
        aheadMs: clock.now() - Date.now(),
        traceHeader,
        clientContext,
      });
    },
    retire() {
      retired = true;
      if (self.state === "idle" || self.state === "starting") self.kill();
    },
    kill: () => void child.kill("SIGKILL"),
  };
  return self;

  async function respond(invocation: Invocation, body: IncomingMessage) {
    const streaming = body.headers["lambda-runtime-function-response-mode"] === "streaming";
    if (streaming && invocation.stream) return stream(invocation, body);
    const payload = await readBody(body, InvokeResult.MAX_RESPONSE_BYTES);
    const failed = body.trailers["lambda-runtime-function-error-body"];
    if (failed) answered(invocation, InvokeResult.functionError(Buffer.from(failed, "base64")));
    else if (!payload) answered(invocation, tooLarge);
    else answered(invocation, { kind: "ok", payload });
    return payload !== undefined;
  }

  async function stream(invocation: Invocation, response: IncomingMessage) {
    try {
      const { prelude, body } = await splitPrelude(response);
      invocation.settle({ kind: "stream", prelude, body });
      await finished(response).catch(() => {});
      endEvent();
      const failed = response.trailers["lambda-runtime-function-error-body"];
      if (failed) {
        const { errorType, errorMessage } = InvokeResult.functionError(
          Buffer.from(failed, "base64"),
        );
        log.error(
          `${settings.name} ${invocation.id}: ${errorType} in the middle of its stream: ${errorMessage}`,
        );
      }
    } catch (error) {
      response.resume();
      invocation.settle(InvokeResult.failure("Runtime.MalformedStream", String(error)));
    }
    return true;
  }

  function answered(invocation: Invocation, result: InvokeResult.InvokeResult) {
    endEvent();
    invocation.settle(result);
  }

  /** The caller has its result: stops the timeout and the memory watch. */
  function endEvent() {
    current?.end();
    clearTimeout(timer);
    memory.delete(watched);
    disk.delete(watchedDisk);
    if (self.state === "busy") self.state = "answered";
  }

  function done() {
    endEvent();
    const ended = current;
    current = undefined;
    return ended;
  }

  function end(code: number | null, signal: NodeJS.Signals | null) {
    if (self.state === "ended") return;
    const wasStarting = self.state === "starting";
    self.state = "ended";
    api.forget(token);
    // a process that it has started may still write
    void rm(tmp, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    const broken = done();
    const result = (id: string) => endedBy?.(id) ?? InvokeResult.exited(id, code, signal);
    broken?.settle(result(broken.id));
    const failedToStart = wasStarting && !retired && (initFailure ?? result(randomUUID()));
    onEnd(self, failedToStart || undefined);
  }
}

const bootstrap = join(import.meta.dirname, "bootstrap.mjs");

const entry = ({ folder, handler }: Bundle) =>
  join(folder, handler.startsWith("bundle.") ? "bundle.mjs" : handler);

const tooLarge = InvokeResult.failure(
  "Function.ResponseSizeTooLarge",
  `Response payload size exceeded maximum allowed payload size (${InvokeResult.MAX_RESPONSE_BYTES} bytes).`,
);

// the shares of the memory that Lambda's own bootstrap script gives to the heap
const flags = (memoryMb: number) => [
  "--enable-source-maps",
  "--no-warnings",
  `--max-old-space-size=${Math.max(32, Math.floor(memoryMb * 0.9))}`,
  `--max-semi-space-size=${Math.max(1, Math.floor(memoryMb * 0.06))}`,
];
