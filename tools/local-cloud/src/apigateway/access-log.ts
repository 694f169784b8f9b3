import * as Context from "./context.ts";
import { requestTime } from "./event.ts";
import type { Refused } from "./request-context.ts";
import type { Outcome } from "./outcome.ts";

/** The line of a request. */
export type AccessLog = (exchange: Refused, outcome: Outcome) => string;

/**
 * Compiles a stage's format. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 * Plain substitution: what is not known prints `-`. [V-DOC] Quotes, backslashes and control characters of a value are
 * escaped, so that a header cannot end a field of a format that is JSON; whether AWS does is not documented. [?]
 */
export function compileAccessLog(format: string): AccessLog {
  // AWS refuses the stage: it could not tell its lines apart
  if (!/\$context\.(requestId|extendedRequestId)\b/.test(format))
    throw new Error("the format of an access log must contain $context.requestId");
  const pieces: (string | Variable)[] = [];
  let end = 0;
  for (const match of format.matchAll(REFERENCE)) {
    pieces.push(format.slice(end, match.index), variable(match[1] ?? match[2]!));
    end = match.index + match[0].length;
  }
  pieces.push(format.slice(end));
  return (exchange, outcome) =>
    pieces
      .map((piece) => {
        if (typeof piece === "string") return piece;
        const value = piece(exchange, outcome);
        return value === undefined || value === null || value === "" ? "-" : escaped(value);
      })
      .join("");
}

type Variable = (exchange: Refused, outcome: Outcome) => string | number | null | undefined;

const NAME = "context\\.([A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_:-]+)*)";
const REFERENCE = new RegExp(`\\$(?:\\{${NAME}\\}|${NAME})`, "g");

function variable(name: string): Variable {
  if (Object.hasOwn(VARIABLES, name)) return VARIABLES[name]!;
  const [source, ...path] = name.split(".");
  if (source === "authorizer")
    return ({ authorizer }) => Context.scalar(Context.at(authorizer, path));
  return (exchange) => Context.lookup(`context.${name}`, exchange);
}

// what only an access log knows, and for speed what a log usually has
const VARIABLES: Record<string, Variable> = {
  requestId: ({ requestId }) => requestId,
  extendedRequestId: ({ extendedRequestId }) => extendedRequestId,
  requestTime: ({ time }) => requestTime(time),
  protocol: () => "HTTP/1.1",
  xrayTraceId: ({ trace }) => trace.root,
  httpMethod: ({ httpMethod }) => httpMethod,
  path: ({ fullPath }) => fullPath,
  resourcePath: ({ method }) => method?.resourcePath,
  resourceId: ({ method }) => method?.resourceId,
  status: (_, { status }) => status,
  responseLength: (_, { bytes }) => bytes,
  responseLatency: (_, { started, ended }) => Math.round(ended - started),
  "identity.sourceIp": ({ identity }) => identity.sourceIp,
  "identity.userAgent": ({ identity }) => identity.userAgent,
  "identity.apiKeyId": ({ identity }) => identity.apiKeyId,
  // "You can't use the claims as a whole" [V-DOC]
  "authorizer.claims": () => undefined,
  "authorizer.error": ({ calls, method }, { refusal }) =>
    calls.find(({ of }) => of === "authorizer")?.error ??
    (method && AUTHORIZER_REFUSALS.has(refusal?.type ?? "") ? refusal?.text : undefined),
  "authorizer.requestId": ({ calls }) => calls.find(({ of }) => of === "authorizer")?.requestId,
  "authorizer.status": ({ calls }) => calls.find(({ of }) => of === "authorizer")?.status,
  "authorizer.latency": ({ calls }) => took(calls.find(({ of }) => of === "authorizer")),
  "integration.status": ({ calls }) => integration(calls)?.status,
  "integration.requestId": ({ calls }) => integration(calls)?.requestId,
  "integration.latency": ({ calls }) => took(integration(calls)),
  integrationLatency: ({ calls }) => took(integration(calls)),
  "integration.error": ({ calls }) => integration(calls)?.error,
  integrationErrorMessage: ({ calls }) => integration(calls)?.error,
  // what the code behind the service answered: of a Lambda proxy the statusCode in its result
  "integration.integrationStatus": (exchange, outcome) => behind(exchange, outcome),
  integrationStatus: (exchange, outcome) => behind(exchange, outcome),
  "error.message": (_, { refusal }) => refusal?.text,
  "error.messageString": (_, { refusal }) => refusal && JSON.stringify(refusal.text),
  "error.responseType": (_, { refusal }) => refusal?.type,
  "error.validationErrorString": (_, { refusal }) => refusal?.validation,
};

const AUTHORIZER_REFUSALS = new Set([
  "ACCESS_DENIED",
  "AUTHORIZER_CONFIGURATION_ERROR",
  "AUTHORIZER_FAILURE",
  "EXPIRED_TOKEN",
  "INVALID_SIGNATURE",
  "UNAUTHORIZED",
]);

const integration = (calls: Refused["calls"]) => calls.find(({ of }) => of === "integration");

function behind({ calls }: Refused, { status, refusal }: Outcome) {
  const call = integration(calls);
  if (call?.service !== "Lambda") return call?.status;
  return refusal ? undefined : status;
}

/** Milliseconds, of a call that was given up as well. */
const took = (call: Refused["calls"][number] | undefined) =>
  call && Math.round((call.ended ?? performance.timeOrigin + performance.now()) - call.started);

function escaped(value: string | number) {
  if (typeof value === "number") return String(value);
  // oxlint-disable-next-line no-control-regex -- exactly what JSON escapes
  return /["\\\u0000-\u001f]/.test(value) ? JSON.stringify(value).slice(1, -1) : value;
}
