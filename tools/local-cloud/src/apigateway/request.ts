import type { IncomingMessage, ServerResponse } from "node:http";

import type { Method, Stage } from "./definition.ts";
import * as RequestContext from "./request-context.ts";
import type { Parts } from "./dependencies.ts";
import * as Query from "./query.ts";
import * as Route from "./route.ts";
import * as Trace from "./trace.ts";

export type Target = {
  stage: Stage | undefined;
  path: string;
  fullPath: string;
  rawQuery: string;
};

/** Splits the request target into stage, path and query, decoding nothing. */
export function locate(url: string, stages: Map<string, Stage>): Target {
  // a proxy's client names the host in the target; a fragment is not part of one (RFC 9112, 3.2)
  const asked = url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
  const mark = asked.indexOf("?");
  const whole = mark < 0 ? asked : asked.slice(0, mark);
  const rawQuery = mark < 0 ? "" : asked.slice(mark + 1);
  // `//stage/x` is `/stage/x` [V-AWS]
  const fullPath = whole.replace(/^\/{2,}/, "/");
  const parts = fullPath.split("/", 4);
  const prefix = parts[1] === "_apis" ? parts.slice(0, 4).join("/") : `/${parts[1] ?? ""}`;
  const stage = stages.get(prefix);
  // `/stage//x` reaches the function as `/x`, further double slashes stay [V-AWS]
  const path = `/${fullPath.slice(prefix.length).replace(/^\/+/, "")}`;
  // requestContext.path begins with the stage, also where the address begins with the API's id
  const shown = stage ? fullPath.slice(prefix.length - stage.name.length - 1) : fullPath;
  return { stage, path, fullPath: shown, rawQuery };
}

export function open(
  req: IncomingMessage,
  res: ServerResponse,
  { stage, path, fullPath, rawQuery }: Target,
  { clock, traces }: Parts,
): RequestContext.Refused {
  const now = clock.now();
  const httpMethod = req.method ?? "GET";
  const hit = stage && route(stage, path, httpMethod);
  const { headers } = req;
  const sample = () => (stage?.isTraced ?? false) && (traces?.sample() ?? true);
  const gone = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) gone.abort();
  });
  return {
    ...(stage && { stage }),
    ...(hit && { method: hit.method }),
    httpMethod,
    path,
    fullPath,
    pathParameters: hit?.parameters ?? null,
    query: Query.parse(rawQuery),
    rawQuery,
    headers: RequestContext.fields(req),
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body: EMPTY,
    requestId: RequestContext.newRequestId(),
    extendedRequestId: RequestContext.newExtendedRequestId(),
    trace: Trace.create(headers["x-amzn-trace-id"]?.toString(), now, sample),
    time: now,
    identity: {
      sourceIp: req.socket.remoteAddress ?? "127.0.0.1",
      userAgent: headers["user-agent"] ?? null,
      accessKey: null,
      accountId: null,
      caller: null,
      user: null,
      userArn: null,
    },
    authorizer: undefined,
    usageKey: undefined,
    called: undefined,
    calls: [],
    signal: gone.signal,
  };
}

const EMPTY = Buffer.alloc(0);

function route(stage: Stage, path: string, httpMethod: string): Route.Hit<Method> | undefined {
  // a slash at the end does not matter for matching [V-AWS]
  const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(1, -1) : path.slice(1);
  return Route.match(stage.api.routes, trimmed === "" ? [] : trimmed.split("/"), httpMethod);
}

/** "Payload size 10 MB" https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
export const MAX_BODY_BYTES = 10_485_760;

// a client that is still sending reads no answer, so what is too much is let run out, within reason
const MAX_DRAINED_BYTES = 10 * MAX_BODY_BYTES;
const MAX_DRAINING_MS = 2_000;

/** The whole body, or undefined when it is over the limit: then it is read and thrown away. */
export async function readBody(req: IncomingMessage): Promise<Buffer | undefined> {
  const declared = req.headers["content-length"];
  if (declared === undefined && req.headers["transfer-encoding"] === undefined) return EMPTY;
  if (declared === "0") return EMPTY;
  if (Number(declared) > MAX_DRAINED_BYTES) return undefined;
  let chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    if (Number(declared) > MAX_BODY_BYTES) setTimeout(resolve, MAX_DRAINING_MS, undefined).unref();
    req.on("data", function add(chunk: Buffer) {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) return void chunks.push(chunk);
      chunks = [];
      if (size <= MAX_DRAINED_BYTES) return;
      req.off("data", add);
      resolve(undefined);
    });
    req.once("end", () => {
      if (size > MAX_BODY_BYTES) return resolve(undefined);
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size));
    });
    req.once("error", reject);
    req.once("close", () => reject(new Error("the client went away")));
  });
}
