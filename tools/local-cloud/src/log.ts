/** What the local cloud says while it runs. `request` is one line per HTTP request, `denied` one per refused permission. */
export type Log = {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
  request(line: RequestLine): void;
  denied(refusal: { principal: string; action: string; resource: string }): void;
};

export type RequestLine = {
  method: string;
  path: string;
  status: number;
  ms: number;
  requestId: string;
  function?: string | undefined;
  /** The function's process had to be started for it. */
  isCold?: boolean;
};

export function consoleLog(write: (line: string) => void): Log {
  const say = (level: string) => (message: string, fields?: object) =>
    write(`${level}${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`);
  return {
    info: say(""),
    warn: say("warning: "),
    error: say("error: "),
    request: (line) =>
      write(
        `${line.method} ${line.path} ${line.status} ${line.ms.toFixed(1)} ms ${line.function ?? "-"}${line.isCold ? " (cold)" : ""} ${line.requestId}`,
      ),
    denied: ({ principal, action, resource }) =>
      write(`AccessDenied: ${principal} may not ${action} on ${resource}`),
  };
}

export const silentLog: Log = {
  info() {},
  warn() {},
  error() {},
  request() {},
  denied() {},
};
