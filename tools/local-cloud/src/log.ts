/** Where the local cloud logs. `request` gets each HTTP request, `denied` each refused permission. */
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
  /** A process of the function had to be started for the request. */
  isCold?: boolean;
};

/** Returns a log that calls `write` with a line of text per entry. */
export function consoleLog(write: (line: string) => void): Log {
  const logAt = (level: string) => (message: string, fields?: object) =>
    write(`${level}${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`);
  return {
    info: logAt(""),
    warn: logAt("warning: "),
    error: logAt("error: "),
    request: (line) =>
      write(
        `${line.method} ${line.path} ${line.status} ${line.ms.toFixed(1)} ms ${line.function ?? "-"}${line.isCold ? " (cold)" : ""} ${line.requestId}`,
      ),
    denied: ({ principal, action, resource }) =>
      write(`AccessDenied: ${principal} may not ${action} on ${resource}`),
  };
}

/** Logs nothing. */
export const silentLog: Log = {
  info() {},
  warn() {},
  error() {},
  request() {},
  denied() {},
};
