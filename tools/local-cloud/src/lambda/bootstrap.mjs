// Runs in a function's process: fetches events from the Runtime API, calls the handler and posts its result.
// Plain JavaScript with node:net alone, because every module that is loaded here makes each cold start longer.
// The behaviour is that of aws-lambda-ric 4, the client inside Lambda's nodejs24.x.
import { createConnection } from "node:net";
import { flushCompileCache, enableCompileCache } from "node:module";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const [compileCache, bundle] = process.argv.slice(2);
const [authority, ...prefix] = process.env.AWS_LAMBDA_RUNTIME_API.split("/");
const [host, port] = authority.split(":");
const base = `/${[...prefix, "2018-06-01", "runtime"].join("/")}`;
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const preludeType = "application/vnd.awslambda.http-integration-response";
let requestId;
const RealDate = Date;
let aheadMs = 0;

// Ctrl-C in a terminal reaches every process of the group; the local cloud ends this process when its event is processed
process.on("SIGINT", () => {});
for (const [level, names] of Object.entries({
  TRACE: ["trace"],
  DEBUG: ["debug"],
  INFO: ["log", "info"],
  WARN: ["warn"],
  ERROR: ["error"],
}))
  for (const name of names) console[name] = (...words) => log(level, format(...words));

globalThis.awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = "response";
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType(preludeType);
      stream._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(prelude));
        write(Buffer.alloc(8));
      };
      return stream;
    },
  },
};

const socket = createConnection({ host, port: Number(port), noDelay: true });
// the local cloud has ended
socket.on("error", () => process.exit(1));
socket.on("close", () => process.exit(1));
const responses = readResponses(socket);

const handler = await load().catch(async (error) => {
  await send("POST", "/init/error", JSON.stringify(formatted(error)), errorHeaders(error));
  process.exit(1);
});
for (const [event, type, code] of [
  ["uncaughtException", "Runtime.UncaughtException", 129],
  ["unhandledRejection", "Runtime.UnhandledPromiseRejection", 128],
]) {
  const exit = async (error) => {
    const body =
      event === "uncaughtException"
        ? formatted(error)
        : { ...formatted(error), errorType: type, errorMessage: String(error) };
    if (requestId) await send("POST", `/invocation/${requestId}/error`, JSON.stringify(body));
    process.exit(code);
  };
  process.on(event, (error) => void exit(error));
}

if (compileCache) setTimeout(() => flushCompileCache(), 1000).unref();
for (let asked = send("GET", "/invocation/next"); ;) {
  const { headers, body } = await asked;
  const context = contextOf(headers);
  const event = JSON.parse(body.toString());
  if (handler[STREAMING]) {
    await stream(event, context);
    asked = send("GET", "/invocation/next");
  } else {
    const { path, payload } = await called(event, context);
    // one request for the result and the next event halves the requests per call; `next` at the end is not part of AWS's API
    asked = send("POST", `/invocation/${context.awsRequestId}/${path}/next`, payload);
  }
  requestId = undefined;
}

async function called(event, context) {
  try {
    return { path: "response", payload: stringified(await handler(event, context)) };
  } catch (error) {
    return { path: "error", payload: JSON.stringify(formatted(error)) };
  }
}

async function load() {
  if (compileCache) enableCompileCache(compileCache);
  const module = await import(pathToFileURL(bundle).href).catch((error) => {
    if (error instanceof SyntaxError) error.name = "Runtime.UserCodeSyntaxError";
    else if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND")
      error.name = "Runtime.ImportModuleError";
    throw error;
  });
  const name = process.env._HANDLER;
  const path = name.slice(name.indexOf(".") + 1).split(".");
  const find = (from) => path.reduce((found, key) => found?.[key], from);
  const found = find(module) ?? find(module.default);
  if (typeof found !== "function")
    throw named(
      "Runtime.HandlerNotFound",
      `${name} is ${found === undefined ? "undefined or not exported" : "not a function"}`,
    );
  if (found.length < 3 || found[STREAMING]) return found;
  if (Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1]) >= 24)
    throw named(
      "Runtime.CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  return (event, context) =>
    new Promise((resolve, reject) => {
      const returned = found(event, context, (error, value) =>
        error ? reject(error) : resolve(value),
      );
      if (typeof returned?.then === "function") returned.then(resolve, reject);
    });
}

function contextOf(headers) {
  requestId = headers["lambda-runtime-aws-request-id"];
  moveClock(Number(headers["local-clock-ahead-ms"] ?? 0));
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = headers["lambda-runtime-client-context"];
  process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  return {
    awsRequestId: requestId,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? JSON.parse(clientContext) : undefined,
    getRemainingTimeInMillis: () => deadline - RealDate.now(),
  };
}

/** Moves `Date` by as much as the local cloud's clock is ahead, so that the handler sees the same time. */
function moveClock(ms) {
  aheadMs = ms;
  if (ms === 0 || globalThis.Date !== RealDate) return;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length > 0 ? given : [target.now() + aheadMs], newTarget),
    apply: (target) => new target(target.now() + aheadMs).toString(),
    get: (target, key) => (key === "now" ? () => target.now() + aheadMs : Reflect.get(target, key)),
  });
}

async function stream(event, context) {
  const post = responseStream(context.awsRequestId);
  try {
    const returned = handler(event, post, context);
    if (typeof returned?.then !== "function")
      throw new Error("Streaming does not support non-async handlers.");
    await returned;
    // Lambda waits for end(): a handler that returns without it fails
    if (!post.writableEnded) throw new Error("Response stream is not finished.");
    await post.sent;
  } catch (error) {
    await post.fail(error);
  }
}

/** Returns a Writable whose bytes are the chunked body of one POST; the request starts with the first byte. */
function responseStream(id) {
  const sent = Promise.withResolvers();
  let contentType = "application/octet-stream";
  let started = false;
  let ended = false;
  const chunk = (data, done) => {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    if (bytes.length === 0) return done?.();
    socket.cork();
    socket.write(`${bytes.length.toString(16)}\r\n`);
    socket.write(bytes);
    socket.write("\r\n", done);
    socket.uncork();
  };
  const start = () => {
    if (started) return;
    started = true;
    socket.write(
      head("POST", `/invocation/${id}/response`, {
        "Content-Type": contentType,
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        "Transfer-Encoding": "chunked",
      }),
    );
    void responses.next().then(() => sent.resolve());
    writable._onBeforeFirstWrite?.((data) => chunk(data));
  };
  const end = (trailers = "") => {
    start();
    ended = true;
    socket.write(`0\r\n${trailers}\r\n`);
  };
  const writable = new Writable({
    write(data, _encoding, done) {
      start();
      chunk(data, done);
    },
    final(done) {
      end();
      // oxlint-disable-next-line promise/no-callback-in-promise -- Writable knows no promises
      void sent.promise.then(() => done());
    },
  });
  const plainWrite = writable.write.bind(writable);
  return Object.assign(writable, {
    sent: sent.promise,
    setContentType(type) {
      if (started)
        throw named("Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.");
      contentType = type;
    },
    write(data, ...rest) {
      const plain = typeof data === "string" || data instanceof Uint8Array;
      return plainWrite(plain ? data : JSON.stringify(data), ...rest);
    },
    /** Sends an error: as the result before the first byte, as a trailer after it. */
    async fail(error) {
      writable.on("error", () => {});
      writable.destroy();
      const body = JSON.stringify(formatted(error));
      if (!started) return void (await send("POST", `/invocation/${id}/error`, body));
      if (ended) return void (await sent.promise);
      const type = formatted(error).errorType;
      end(
        `Lambda-Runtime-Function-Error-Type: ${headerSafe(type)}\r\nLambda-Runtime-Function-Error-Body: ${Buffer.from(body).toString("base64")}\r\n`,
      );
      await sent.promise;
    },
  });
}

function send(method, path, body, headers = {}) {
  const length =
    method === "POST"
      ? { "Content-Length": Buffer.byteLength(body), "Content-Type": "application/json" }
      : {};
  socket.write(head(method, path, { ...length, ...headers }) + (body ?? ""));
  return responses.next();
}

function head(method, path, headers) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${base}${path} HTTP/1.1\r\nHost: ${authority}\r\n${lines.join("")}\r\n`;
}

/** Reads the responses of the connection in order; the Runtime API always sends a Content-Length. */
function readResponses(connection) {
  const waiting = [];
  let buffered = [];
  let size = 0;
  let needed = 0;
  connection.on("data", (data) => {
    buffered.push(data);
    size += data.length;
    if (size < needed) return;
    let bytes = buffered.length === 1 ? data : Buffer.concat(buffered);
    for (;;) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) break;
      const headers = Object.fromEntries(
        bytes
          .toString("latin1", 0, end)
          .split("\r\n")
          .slice(1)
          .map((line) => {
            const colon = line.indexOf(":");
            return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
          }),
      );
      needed = end + 4 + Number(headers["content-length"] ?? 0);
      if (bytes.length < needed) break;
      waiting.shift()?.({ headers, body: bytes.subarray(end + 4, needed) });
      bytes = bytes.subarray(needed);
      needed = 0;
    }
    buffered = [bytes];
    size = bytes.length;
  });
  return { next: () => new Promise((resolve) => waiting.push(resolve)) };
}

function formatted(error) {
  if (!(error instanceof Error))
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: error.stack?.split("\n") ?? [],
  };
}

function stringified(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? "null";
  } catch {
    throw named("Runtime.JSONStringifyError", "Unable to stringify response body");
  }
}

function log(level, text) {
  // Lambda's text format: a line per call of console.log; line feeds in it become carriage returns
  const line = `${new Date().toISOString()}\t${requestId ?? "-"}\t${level}\t${text}`.replaceAll(
    "\n",
    "\r",
  );
  process.stdout.write(`${line}\n`);
}

function named(name, message) {
  return Object.assign(new Error(message), { name });
}

function headerSafe(text) {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function errorHeaders(error) {
  return { "Lambda-Runtime-Function-Error-Type": headerSafe(formatted(error).errorType) };
}
