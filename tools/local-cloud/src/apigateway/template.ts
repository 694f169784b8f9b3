import { JSONPath } from "jsonpath-plus";

import * as MappingExpressions from "./mapping-expressions.ts";
import type { RequestContext } from "./types.ts";
import { toJavaValue } from "./velocity-java-methods.ts";
import * as Velocity from "./velocity.ts";

/** The state that the request and response templates of one request share: `$context` with the overrides that either may set. */
export type State = {
  request: RequestContext;
  context: Record<string, unknown> & {
    requestOverride: Overrides;
    responseOverride: { header: Record<string, unknown>; status?: unknown };
  };
};

type Overrides = Record<"header" | "path" | "querystring", Record<string, unknown>>;

export type Template = (body: string, state: State) => string;

/** Compiles a VTL mapping template. @throws Error if it cannot be parsed or is not emulated. */
export function compile(text: string): Template {
  const render = Velocity.compile(text, {
    input: ["body", "json", "path", "params"],
    util: Object.keys(util),
    foreach: ["index", "count", "hasNext"],
  });
  return (body, state) =>
    render({
      input: input(body, state.request),
      context: state.context,
      stageVariables: state.request.stage.variables ?? {},
      util,
    });
}

export const newState = (context: RequestContext): State => ({
  request: context,
  context: {
    ...MappingExpressions.contextVariables(context),
    requestOverride: { header: {}, path: {}, querystring: {} },
    responseOverride: { header: {} },
  },
});

/** `$input`. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#input-variable-reference */
function input(body: string, context: RequestContext) {
  const parameters = () => ({
    path: toJavaValue({ ...context.pathParameters }),
    querystring: toJavaValue(
      Object.fromEntries(
        Object.entries(context.query ?? {}).map(([name, values]) => [name, values.at(-1)]),
      ),
    ),
    header: toJavaValue(Object.fromEntries(context.headers)),
  });
  return {
    // an empty body is an empty object [V-AWS]
    body: body === "" ? "{}" : body,
    json: (path: string) => {
      const found = query(body, path);
      return found === undefined ? '""' : JSON.stringify(found);
    },
    path: (path: string) => {
      const found = query(body, path);
      return found === undefined ? "" : toJavaValue(found);
    },
    params: (name?: string) => {
      if (name === undefined) return parameters();
      for (const place of ["path", "querystring", "header"])
        if (hasParameter(context, place, name))
          return MappingExpressions.evaluate(`method.request.${place}.${name}`, context);
      return "";
    },
  };
}

const hasParameter = (context: RequestContext, place: string, name: string) =>
  MappingExpressions.evaluate(`method.request.${place}.${name}`, context) !== undefined;

/** Returns the text at a JSON path of the body, for parameter mappings. */
export function textAtJsonPath(body: string, path: string): string | undefined {
  const found = query(body, path);
  if (found === undefined) return undefined;
  return typeof found === "string" ? found : JSON.stringify(found);
}

function query(body: string, path: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(body === "" ? "{}" : body);
  } catch {
    json = body;
  }
  if (path === "$") return json;
  if (typeof json !== "object" || json === null) return undefined;
  // no filter expression may run as a script; `wrap: false` gives the value of a definite path, as Jayway's does
  return JSONPath({ path, json, wrap: false, eval: false });
}

/** `$util` */
const util = {
  escapeJavaScript: (text: unknown) =>
    JSON.stringify(String(text)).slice(1, -1).replaceAll("'", "\\'").replaceAll("/", "\\/"),
  parseJson: (text: string) => toJavaValue(JSON.parse(text)),
  // a space becomes a plus [V-AWS]
  urlEncode: (text: unknown) =>
    encodeURIComponent(String(text))
      .replaceAll("%20", "+")
      // characters that Java encodes in addition
      .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
  urlDecode: (text: unknown) => decodeURIComponent(String(text).replaceAll("+", " ")),
  base64Encode: (text: unknown) => Buffer.from(String(text)).toString("base64"),
  base64Decode: (text: unknown) => Buffer.from(String(text), "base64").toString("utf8"),
};
