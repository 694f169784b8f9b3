import { JSONPath } from "jsonpath-plus";
import { Compile, parse } from "velocityjs";

import * as Context from "./context.ts";
import type { Exchange } from "./exchange.ts";

/** What request and response template of one request share: the overrides that either may set. */
export type State = {
  exchange: Exchange;
  context: Record<string, unknown> & {
    requestOverride: Overrides;
    responseOverride: { header: Record<string, unknown>; status?: unknown };
  };
};

type Overrides = Record<"header" | "path" | "querystring", Record<string, unknown>>;

export type Template = (body: string, state: State) => string;

/** A VTL mapping template, parsed once. Throws on what velocityjs cannot parse, so that a bad template stops the start. */
export function compile(text: string): Template {
  const ast = parse(text);
  return (body, state) =>
    new Renderer(ast, { escape: false, customMethodHandlers: javaMethods }).render({
      input: input(body, state.exchange),
      context: state.context,
      stageVariables: state.exchange.stage.variables ?? {},
      util,
    });
}

/** velocityjs prints lists as Java's own do; those of API Gateway are JSON. */
class Renderer extends Compile {
  protected override getReferences(node: ReturnType<typeof parse>[number], isPrinted?: boolean) {
    const value: unknown = super.getReferences(node, isPrinted);
    return (isPrinted && Array.isArray(value) ? value.toString() : value) as string;
  }
}

export const newState = (exchange: Exchange): State => ({
  exchange,
  context: {
    ...Context.variables(exchange),
    requestOverride: { header: {}, path: {}, querystring: {} },
    responseOverride: { header: {} },
  },
});

/** `$input`. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#input-variable-reference */
function input(body: string, exchange: Exchange) {
  const parameters = () => ({
    path: java({ ...exchange.pathParameters }),
    querystring: java(
      Object.fromEntries(
        Object.entries(exchange.query ?? {}).map(([name, values]) => [name, values.at(-1)]),
      ),
    ),
    header: java(Object.fromEntries(exchange.headers)),
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
      return found === undefined ? "" : java(found);
    },
    params: (name?: string) => {
      if (name === undefined) return parameters();
      for (const place of ["path", "querystring", "header"])
        if (hasParameter(exchange, place, name))
          return Context.lookup(`method.request.${place}.${name}`, exchange);
      return "";
    },
  };
}

const hasParameter = (exchange: Exchange, place: string, name: string) =>
  Context.lookup(`method.request.${place}.${name}`, exchange) !== undefined;

/** The text at a JSON path, as parameter mappings take it. */
export function pick(body: string, path: string): string | undefined {
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

/** Objects print as Java prints a map, `{a=1}`; lists as JSON. [V-AWS] */
function java(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const isList = Array.isArray(value);
  const copy: object = isList ? value.map(java) : mapObject(value);
  const print = isList ? () => JSON.stringify(value) : () => printMap(copy);
  return Object.defineProperty(copy, "toString", { value: print, enumerable: false });
}

const mapObject = (value: object) =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, java(inner)]));

const printMap = (map: object) =>
  `{${Object.entries(map)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ")}}`;

/** `$util` */
const util = {
  escapeJavaScript: (text: unknown) =>
    JSON.stringify(String(text)).slice(1, -1).replaceAll("'", "\\'").replaceAll("/", "\\/"),
  parseJson: (text: string) => java(JSON.parse(text)),
  // a space becomes a plus [V-AWS]
  urlEncode: (text: unknown) => encodeURIComponent(String(text)).replaceAll("%20", "+"),
  urlDecode: (text: unknown) => decodeURIComponent(String(text).replaceAll("+", " ")),
  base64Encode: (text: unknown) => Buffer.from(String(text)).toString("base64"),
  base64Decode: (text: unknown) => Buffer.from(String(text), "base64").toString("utf8"),
};

type Call = { property: string; context: unknown; params: unknown[] };

const method = (
  property: string,
  accepts: (context: unknown) => boolean,
  resolve: (context: never, ...params: never[]) => unknown,
) => ({
  uid: `java ${property}`,
  match: (call: Call) => call.property === property && accepts(call.context),
  resolve: (call: Call) => resolve(call.context as never, ...(call.params as never[])),
});

const isText = (context: unknown) => typeof context === "string";
const isList = (context: unknown) => Array.isArray(context);
const isMap = (context: unknown) =>
  typeof context === "object" && context !== null && !Array.isArray(context);

// Java's methods of String, List and Map that velocityjs lacks or that JavaScript knows by another name
const javaMethods = [
  method("isEmpty", isText, (text: string) => text === ""),
  method("length", isText, (text: string) => text.length),
  method("equals", isText, (text: string, other: unknown) => text === other),
  method(
    "equalsIgnoreCase",
    isText,
    (text: string, other: string) => text.toLowerCase() === other.toLowerCase(),
  ),
  method("contains", isText, (text: string, part: string) => text.includes(part)),
  method("matches", isText, (text: string, regex: string) =>
    new RegExp(`^(?:${regex})$`).test(text),
  ),
  method("replaceAll", isText, (text: string, regex: string, by: string) =>
    text.replace(new RegExp(regex, "g"), by),
  ),
  method("replaceFirst", isText, (text: string, regex: string, by: string) =>
    text.replace(new RegExp(regex), by),
  ),
  method("split", isText, (text: string, regex: string) => text.split(new RegExp(regex))),
  method("isEmpty", isList, (list: unknown[]) => list.length === 0),
  method("contains", isList, (list: unknown[], item: unknown) => list.includes(item)),
  method("isEmpty", isMap, (map: object) => Object.keys(map).length === 0),
  method("containsKey", isMap, (map: object, key: string) => Object.hasOwn(map, key)),
  method("values", isMap, (map: object) => Object.values(map)),
];
