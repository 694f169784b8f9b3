import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type TracedFunction, traceInvocation } from "../xray/trace-invocation.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import {
  type FunctionSource,
  type Resource,
  type ResourceGraph,
  resourcesOf,
} from "../graph/resource-graph.ts";
import { type RoleKeys, environment } from "./environment.ts";
import { ignoredSettings } from "./esbuild-options.ts";
import { type Invocation, type InvokeOptions, createInvocation } from "./invocation.ts";
import { type LiveBundle, createLiveBundle } from "./live-bundle.ts";
import { createDiskWatch } from "./disk-watch.ts";
import { createMemoryWatch } from "./memory-watch.ts";
import { type ProcessPool, createProcessPool } from "./process-pool.ts";
import { startProcess } from "./function-process.ts";
import { watchSources } from "./watch-sources.ts";
import { type InvokeResult, failure, MAX_REQUEST_BYTES } from "./invoke-result.ts";
import { startRuntimeApi } from "./runtime-api.ts";

export type Functions = {
  /** `functionArn` may carry a qualifier. Rejects only for a function that is not in the graph and for an aborted signal. */
  invoke(
    functionArn: string,
    payload: string | Buffer,
    options?: InvokeOptions,
  ): Promise<InvokeResult>;
  /** Kills the processes that have worked on an event of the function, or of any function, for so long. Returns how many. */
  kill(functionArn?: string, busyForMs?: number): number;
  /** The logical name of each function by ARN. */
  names: Record<string, string>;
  /** Resolves when every function has been bundled or has failed to. `invoke` may be called before. */
  ready: Promise<void>;
  stop(): Promise<void>;
};

export type FunctionsOptions = {
  graph: ResourceGraph;
  /** The folder that handler paths start from. */
  root: string;
  /** Bundles go to `<folder>/functions/<name>`. */
  folder: string;
  principals: { forRole(roleArn: string, service: string): RoleKeys };
  /** URLs by the name that the AWS SDK gives to the service: S3, DYNAMODB, SQS … */
  endpoints: Record<string, string>;
  /** Returns the value of `secret://name`. */
  secrets: (name: string) => string;
  /** The time that functions see. */
  clock: Pick<Clock, "now">;
  log: Log;
  /** Follow the sources; a saved file is live within two seconds. */
  watch?: boolean;
  /** Refuse calls beyond the number of processes, as Lambda refuses calls beyond its concurrency, instead of letting them wait. */
  throttle?: boolean;
  /** Where the segments of invocations go. */
  traces?: TraceStore;
};

/** Starts the Lambda functions of the graph. Each has its own processes with its own environment, permissions, memory limit and timeout. */
export async function createFunctions(options: FunctionsOptions): Promise<Functions> {
  const { graph, log } = options;
  const api = await startRuntimeApi();
  const memory = createMemoryWatch();
  const disk = createDiskWatch();
  const temporary = join(options.folder, "tmp");
  // of processes of an earlier cloud that was killed
  rmSync(temporary, { recursive: true, force: true });
  const changes = options.watch ? watchSources(reload) : undefined;
  const functions = new Map<string, Deployed>();
  for (const resource of resourcesOf(graph, "aws:lambda/function:Function")) {
    const source = graph.functions[resource.outputs.arn];
    if (source) functions.set(resource.outputs.arn, deploy(resource, source));
  }
  // a build may fail because of a missing file in a folder that is not watched
  const retry = options.watch ? setInterval(() => reload(new Set()), 1000) : undefined;
  retry?.unref();
  const all = [...functions.values()];

  return {
    names: Object.fromEntries([...functions].map(([arn, { name }]) => [arn, name])),
    ready: settled(all.map(({ bundle }) => bundle.get())),
    async invoke(functionArn, payload, invokeOptions = {}) {
      const { name, bundle, pool, traced } =
        functions.get(unqualified(functionArn)) ?? refuseUnknown(functionArn);
      if (Buffer.byteLength(payload) > MAX_REQUEST_BYTES) return requestTooLarge;
      const { traceHeader, links } = invokeOptions;
      const trace = traceInvocation(options.traces, traced, traceHeader, links);
      const invocation = createInvocation(payload, { ...invokeOptions, traceHeader: trace.header });
      const result = await unlessAborted(invokeOptions.signal, pool, invocation, async () => {
        const failed = await bundle.get().then(() => undefined, buildFailure);
        const outcome = failed ?? (await pool.invoke(invocation));
        invocation.onEnd((times) => trace.finish(invocation.id, times, outcome));
        return outcome;
      });
      if (result.kind === "error") log.error(errorText(name, invocation.id, result));
      return result;
    },
    kill(functionArn, busyForMs = 0) {
      const chosen = functionArn === undefined ? all : [functions.get(functionArn)];
      return chosen.reduce((killed, each) => killed + (each?.pool.killBusy(busyForMs) ?? 0), 0);
    },
    async stop() {
      changes?.stop();
      clearInterval(retry);
      memory.stop();
      disk.stop();
      await Promise.all(all.map(({ pool }) => pool.stop()));
      await api.stop();
      await Promise.all(all.map(({ bundle }) => bundle.stop()));
    },
  };

  function deploy(
    resource: Resource<"aws:lambda/function:Function">,
    source: FunctionSource,
  ): Deployed {
    const { name } = source;
    const { memorySize = 128, timeout = 3, role } = resource.inputs;
    const reserved = resource.inputs.reservedConcurrentExecutions ?? -1;
    const settings = {
      name,
      arn: resource.outputs.arn,
      memoryMb: memorySize,
      // https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
      diskMb: resource.inputs.ephemeralStorage?.size ?? 512,
      timeoutMs: timeout * 1000,
    };
    // AWS refuses a function whose role Lambda cannot assume; here the start fails
    const keys = options.principals.forRole(role, "lambda.amazonaws.com");
    const folder = join(options.folder, "functions");
    for (const setting of ignoredSettings(source))
      log.warn(
        `${name}: SST does not pass ${setting} on to esbuild, so it has no effect here either`,
      );
    const bundle = createLiveBundle({
      source,
      root: options.root,
      folder,
      log,
      onBuilt({ inputs }, isNew) {
        changes?.add(inputs);
        if (isNew) pool.replaceProcesses();
      },
    });
    const pool = createProcessPool({
      size: reserved < 0 ? MAX_PROCESSES : Math.max(1, Math.min(MAX_PROCESSES, reserved)),
      reserved: reserved < 0 ? undefined : reserved,
      throttle: options.throttle ?? false,
      start: (events) =>
        startProcess({
          ...events,
          settings,
          api,
          memory,
          disk,
          temporary,
          clock: options.clock,
          log,
          bundle: bundle.built!,
          compileCache: join(folder, ".compile-cache"),
          environment: environment(resource, source, {
            graph,
            endpoints: options.endpoints,
            secrets: options.secrets,
            keys,
          }),
        }),
    });
    const traced = {
      name: resource.inputs.name ?? resource.id,
      arn: settings.arn,
      isActive: resource.inputs.tracingConfig?.mode === "Active",
    };
    return { name, bundle, pool, traced };
  }

  function reload(paths: ReadonlySet<string>) {
    for (const { bundle } of functions.values()) void bundle.changed(paths);
  }
}

type Deployed = { name: string; bundle: LiveBundle; pool: ProcessPool; traced: TracedFunction };

/** More processes than cores make every call slower. At least two, so that a function may invoke itself. */
const MAX_PROCESSES = Math.max(2, availableParallelism());

/** Returns the ARN without an alias or version. */
const unqualified = (arn: string) => arn.split(":").slice(0, 7).join(":");

function refuseUnknown(functionArn: string): never {
  throw new Error(`There is no function ${functionArn} in the graph`);
}

async function settled(promises: Promise<unknown>[]) {
  await Promise.allSettled(promises);
}

function buildFailure(error: Error) {
  return failure("Runtime.ImportModuleError", error.message, { trace: [] });
}

const requestTooLarge = failure(
  "RequestTooLarge",
  `Request must be smaller than ${MAX_REQUEST_BYTES} bytes for the InvokeFunction operation`,
);

/** An aborted signal rejects the promise or ends the stream. A function that has started keeps running, as in AWS. */
async function unlessAborted(
  signal: AbortSignal | undefined,
  pool: ProcessPool,
  invocation: Invocation,
  call: () => Promise<InvokeResult>,
): Promise<InvokeResult> {
  if (!signal) return call();
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    pool.cancel(invocation);
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  const result = await Promise.race([call(), aborted]).finally(() =>
    signal.removeEventListener("abort", abort),
  );
  if (result.kind !== "stream") return result;
  const { body } = result;
  const leave = () => body.destroy();
  signal.addEventListener("abort", leave, { once: true });
  body.once("close", () => signal.removeEventListener("abort", leave));
  return result;
}

/** Returns the error of a call as the log shows it: with its stack trace, as Lambda prints it. */
function errorText(name: string, requestId: string, result: InvokeResult & { kind: "error" }) {
  const trace: unknown = JSON.parse(result.payload.toString() || "{}").trace;
  const words =
    Array.isArray(trace) && trace.length > 0
      ? trace.join("\n")
      : `${result.errorType}: ${result.errorMessage}`;
  return `${name} ${requestId.slice(0, 8)}: ${words}`;
}
