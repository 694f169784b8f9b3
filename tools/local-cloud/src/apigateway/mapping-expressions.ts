import { requestContext } from "./lambda-event.ts";
import type { RequestContext, PartialRequestContext } from "./types.ts";

/** Returns the value of a mapping expression such as `context.x`, `stageVariables.x` or `method.request.header.X`; undefined if it has none. */
export function evaluate(expression: string, context: PartialRequestContext): string | undefined {
  const [source = "", ...rest] = expression.split(".");
  if (source === "context") return toText(valueAtPath(contextVariables(context), rest));
  if (source === "stageVariables") return context.stage?.variables?.[rest.join(".")];
  if (source !== "method" || rest[0] !== "request") return undefined;
  const name = rest.slice(2).join(".");
  switch (rest[1]) {
    case "header":
      return lastHeader(context, name);
    case "multivalueheader":
      return headerValues(context, name)?.join(",");
    case "querystring":
      return context.query?.[name]?.at(-1);
    case "multivaluequerystring":
      return context.query?.[name]?.join(",");
    case "path":
      return context.pathParameters?.[name];
    default:
      return undefined;
  }
}

/** Returns `$context`. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference */
export function contextVariables(context: PartialRequestContext): Record<string, unknown> {
  const known = context.method && context.stage ? requestContext(context as RequestContext) : {};
  return {
    requestId: context.requestId,
    extendedRequestId: context.extendedRequestId,
    httpMethod: context.httpMethod,
    path: context.fullPath,
    identity: context.identity,
    requestTimeEpoch: context.time,
    xrayTraceId: context.trace.root,
    ...(context.stage && { stage: context.stage.name, apiId: context.stage.api.id }),
    ...known,
  };
}

const headerValues = (context: PartialRequestContext, name: string) => {
  const lower = name.toLowerCase();
  const values = context.headers
    .filter(([field]) => field.toLowerCase() === lower)
    .map(([, value]) => value);
  return values.length > 0 ? values : undefined;
};

const lastHeader = (context: PartialRequestContext, name: string) =>
  headerValues(context, name)?.at(-1);

/** Returns the value at a dotted path. The rest of a path may be one key with dots, such as `claims.https://x`. */
export function valueAtPath(value: unknown, path: string[]): unknown {
  if (path.length === 0) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const whole = path.join(".");
  if (Object.hasOwn(fields, whole)) return fields[whole];
  const [first = "", ...rest] = path;
  return Object.hasOwn(fields, first) ? valueAtPath(fields[first], rest) : undefined;
}

/** Returns a value as text: strings as they are, others as JSON. */
export function toText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
