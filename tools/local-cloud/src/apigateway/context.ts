import { requestContext } from "./event.ts";
import type { Exchange, Refused } from "./request-context.ts";

/** A mapping expression's value: `context.x`, `stageVariables.x`, `method.request.header.X` and their like; undefined when unset. */
export function lookup(expression: string, exchange: Refused): string | undefined {
  const [source = "", ...rest] = expression.split(".");
  if (source === "context") return scalar(at(variables(exchange), rest));
  if (source === "stageVariables") return exchange.stage?.variables?.[rest.join(".")];
  if (source !== "method" || rest[0] !== "request") return undefined;
  const name = rest.slice(2).join(".");
  switch (rest[1]) {
    case "header":
      return lastHeader(exchange, name);
    case "multivalueheader":
      return headerValues(exchange, name)?.join(",");
    case "querystring":
      return exchange.query?.[name]?.at(-1);
    case "multivaluequerystring":
      return exchange.query?.[name]?.join(",");
    case "path":
      return exchange.pathParameters?.[name];
    default:
      return undefined;
  }
}

/** `$context`. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference */
export function variables(exchange: Refused): Record<string, unknown> {
  const known = exchange.method && exchange.stage ? requestContext(exchange as Exchange) : {};
  return {
    requestId: exchange.requestId,
    extendedRequestId: exchange.extendedRequestId,
    httpMethod: exchange.httpMethod,
    path: exchange.fullPath,
    identity: exchange.identity,
    requestTimeEpoch: exchange.time,
    xrayTraceId: exchange.trace.root,
    ...(exchange.stage && { stage: exchange.stage.name, apiId: exchange.stage.api.id }),
    ...known,
  };
}

const headerValues = (exchange: Refused, name: string) => {
  const lower = name.toLowerCase();
  const values = exchange.headers
    .filter(([field]) => field.toLowerCase() === lower)
    .map(([, value]) => value);
  return values.length > 0 ? values : undefined;
};

const lastHeader = (exchange: Refused, name: string) => headerValues(exchange, name)?.at(-1);

/** Follows a dotted path; what is left of it may itself be a key with dots (`claims.https://x`). */
export function at(value: unknown, path: string[]): unknown {
  if (path.length === 0) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const whole = path.join(".");
  if (Object.hasOwn(fields, whole)) return fields[whole];
  const [first = "", ...rest] = path;
  return Object.hasOwn(fields, first) ? at(fields[first], rest) : undefined;
}

export function scalar(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
