import type { Readable } from "node:stream";

/** The result of a call: that of Lambda's Invoke or of InvokeWithResponseStream. */
export type InvokeResult =
  | { kind: "ok"; payload: Buffer }
  | { kind: "stream"; prelude: Prelude; body: Readable }
  /** A function error, a crash, out of memory, a timeout, or a payload over the limit. */
  | { kind: "error"; errorType: string; errorMessage: string; payload: Buffer }
  | { kind: "throttled" };

export type Prelude = {
  statusCode?: number;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  cookies?: string[];
};

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB a request, and for a buffered response a little more. */
export const MAX_REQUEST_BYTES = 6_291_456;
export const MAX_RESPONSE_BYTES = 6_291_556;
/** The same page: 1 MB for an asynchronous event. */
export const MAX_EVENT_BYTES = 1_048_576;

export function failure(errorType: string, errorMessage: string, more: object = {}): InvokeResult {
  const payload = Buffer.from(JSON.stringify({ errorType, errorMessage, ...more }));
  return { kind: "error", errorType, errorMessage, payload };
}

/** Returns the result for an error that the handler threw; the payload is the runtime's `{ errorType, errorMessage, trace }`. */
export function functionError(payload: Buffer): InvokeResult & { kind: "error" } {
  const { errorType = "Unhandled", errorMessage = "" } = JSON.parse(payload.toString() || "{}");
  return { kind: "error", errorType, errorMessage, payload };
}

/** The payload of a timeout has no errorType; the REPORT line of the log has Sandbox.Timedout. */
export function timedOut(requestId: string, milliseconds: number): InvokeResult {
  const seconds = (milliseconds / 1000).toFixed(2);
  const errorMessage = `${new Date().toISOString()} ${requestId} Task timed out after ${seconds} seconds`;
  const payload = Buffer.from(JSON.stringify({ errorMessage }));
  return { kind: "error", errorType: "Sandbox.Timedout", errorMessage, payload };
}

export function outOfMemory(requestId: string) {
  return failure("Runtime.OutOfMemory", exitMessage(requestId, "signal: killed"));
}

/** In Lambda a write fails, and the function has the error to report. */
export function outOfDisk(requestId: string) {
  return failure(
    "Runtime.ExitError",
    exitMessage(requestId, "ENOSPC: no space left on device, write in /tmp"),
  );
}

export function exited(requestId: string, code: number | null, signal: NodeJS.Signals | null) {
  if (code === 0)
    return failure(
      "Runtime.ExitError",
      `RequestId: ${requestId} Error: Runtime exited without providing a reason`,
    );
  const how = signal ? `signal: ${signalWords[signal] ?? signal}` : `exit status ${code}`;
  return failure("Runtime.ExitError", exitMessage(requestId, how));
}

const exitMessage = (requestId: string, how: string) =>
  `RequestId: ${requestId} Error: Runtime exited with error: ${how}`;

// how Go's os.ProcessState names signals: Lambda prints those
const signalWords: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: "killed",
  SIGABRT: "aborted",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};
