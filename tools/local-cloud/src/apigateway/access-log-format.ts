import * as MappingExpressions from "./mapping-expressions.ts";
import { requestTime } from "./lambda-event.ts";
import type { AccessLogFormatter, PartialRequestContext } from "./types.ts";
import type { RequestOutcome } from "./request-outcome.ts";

/**
 * Compiles the access log format of a stage. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 * Variables are substituted; one without a value prints `-`. [V-DOC] Quotes, backslashes and control characters of a value are
 * escaped, so that a header cannot end a field of a format that is JSON; whether AWS does is not documented. [?]
 */
export function compileAccessLog(format: string): AccessLogFormatter {
  // AWS refuses a format without an id, because its lines could not be told apart
  if (!/\$context\.(requestId|extendedRequestId)\b/.test(format))
    throw new Error("the format of an access log must contain $context.requestId");
  const pieces: (string | Variable)[] = [];
  let end = 0;
  for (const match of format.matchAll(REFERENCE)) {
    pieces.push(format.slice(end, match.index), variable(match[1] ?? match[2]!));
    end = match.index + match[0].length;
  }
  pieces.push(format.slice(end));
  return (context, outcome) =>
    pieces
      .map((piece) => {
        if (typeof piece === "string") return piece;
        const value = piece(context, outcome);
        return value === undefined || value === null || value === "" ? "-" : escaped(value);
      })
      .join("");
}

type Variable = (
  context: PartialRequestContext,
  outcome: RequestOutcome,
) => string | number | null | undefined;

const NAME = "context\\.([A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_:-]+)*)";
const REFERENCE = new RegExp(`\\$(?:\\{${NAME}\\}|${NAME})`, "g");

function variable(name: string): Variable {
  if (Object.hasOwn(VARIABLES, name)) return VARIABLES[name]!;
  const [source, ...path] = name.split(".");
  if (source === "authorizer")
    return ({ authorizer }) =>
      MappingExpressions.toText(MappingExpressions.valueAtPath(authorizer, path));
  return (context) => MappingExpressions.evaluate(`context.${name}`, context);
}

// variables that only access logs have, and frequent ones, which are faster here
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
  responseLatency: (_, { startedAtMs, endedAtMs }) => Math.round(endedAtMs - startedAtMs),
  "identity.sourceIp": ({ identity }) => identity.sourceIp,
  "identity.userAgent": ({ identity }) => identity.userAgent,
  "identity.apiKeyId": ({ identity }) => identity.apiKeyId,
  // "You can't use the claims as a whole" [V-DOC]
  "authorizer.claims": () => undefined,
  "authorizer.error": ({ backendCalls, method }, { gatewayError }) =>
    authorizerCall(backendCalls)?.error ??
    (method && AUTHORIZER_ERRORS.has(gatewayError?.type ?? "") ? gatewayError?.text : undefined),
  "authorizer.requestId": ({ backendCalls }) => authorizerCall(backendCalls)?.requestId,
  "authorizer.status": ({ backendCalls }) => authorizerCall(backendCalls)?.status,
  "authorizer.latency": ({ backendCalls }) => latencyOf(authorizerCall(backendCalls)),
  "integration.status": ({ backendCalls }) => integrationCall(backendCalls)?.status,
  "integration.requestId": ({ backendCalls }) => integrationCall(backendCalls)?.requestId,
  "integration.latency": ({ backendCalls }) => latencyOf(integrationCall(backendCalls)),
  integrationLatency: ({ backendCalls }) => latencyOf(integrationCall(backendCalls)),
  "integration.error": ({ backendCalls }) => integrationCall(backendCalls)?.error,
  integrationErrorMessage: ({ backendCalls }) => integrationCall(backendCalls)?.error,
  // the status from the code behind the service: for a Lambda proxy the statusCode in its result
  "integration.integrationStatus": (context, outcome) => statusBehind(context, outcome),
  integrationStatus: (context, outcome) => statusBehind(context, outcome),
  "error.message": (_, { gatewayError }) => gatewayError?.text,
  "error.messageString": (_, { gatewayError }) => gatewayError && JSON.stringify(gatewayError.text),
  "error.responseType": (_, { gatewayError }) => gatewayError?.type,
  "error.validationErrorString": (_, { gatewayError }) => gatewayError?.validation,
};

const AUTHORIZER_ERRORS = new Set([
  "ACCESS_DENIED",
  "AUTHORIZER_CONFIGURATION_ERROR",
  "AUTHORIZER_FAILURE",
  "EXPIRED_TOKEN",
  "INVALID_SIGNATURE",
  "UNAUTHORIZED",
]);

const authorizerCall = (calls: PartialRequestContext["backendCalls"]) =>
  calls.find(({ purpose }) => purpose === "authorizer");

const integrationCall = (calls: PartialRequestContext["backendCalls"]) =>
  calls.find(({ purpose }) => purpose === "integration");

function statusBehind(
  { backendCalls }: PartialRequestContext,
  { status, gatewayError }: RequestOutcome,
) {
  const call = integrationCall(backendCalls);
  if (call?.service !== "Lambda") return call?.status;
  return gatewayError ? undefined : status;
}

/** Returns milliseconds, also for a call that timed out. */
const latencyOf = (call: PartialRequestContext["backendCalls"][number] | undefined) =>
  call &&
  Math.round((call.endedAtMs ?? performance.timeOrigin + performance.now()) - call.startedAtMs);

function escaped(value: string | number) {
  if (typeof value === "number") return String(value);
  // oxlint-disable-next-line no-control-regex -- exactly what JSON escapes
  return /["\\\u0000-\u001f]/.test(value) ? JSON.stringify(value).slice(1, -1) : value;
}
