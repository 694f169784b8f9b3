import * as fc from "fast-check";

// Requests that are made from the OpenAPI document: right ones, nearly right ones and nonsense, for every part of a request.

type Schema = {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
};
type Parameter = { in: string; name: string; schema?: Schema };
type Operation = {
  operationId: string;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
  security?: Record<string, unknown>[];
};
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { parameters: Record<string, Parameter>; schemas: Record<string, Schema> };
};

export type AnyRequest = {
  operationId: string;
  method: string;
  /** Percent-encoded, with the query. */
  path: string;
  headers: Record<string, string>;
  body: string | Buffer | undefined;
  security: string | undefined;
};

/** Values that exist on the stage, for parameters and fields of these names. */
export type Known = Record<string, string[]>;

/** Any 16-bit units: also control characters and halves of surrogate pairs. */
const anyText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
      { weight: 1, arbitrary: fc.integer({ min: 0xd800, max: 0xdfff }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
    ),
    { maxLength: 40 },
  )
  .map((units) => String.fromCharCode(...units));
const longText = fc.constantFrom("a", "🐟", "%", "\u0000").map((text) => text.repeat(3_000));
const anyNumber = fc.oneof(
  fc.constantFrom(0.1 + 0.2, 1.1 + 2.2, -0, 1e21, 1e-7, Number.MAX_SAFE_INTEGER + 1, 4096.0000001),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);
const nonsense: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: anyText },
  { weight: 4, arbitrary: anyNumber },
  { weight: 2, arbitrary: fc.constantFrom(null, true, [], {}) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: longText },
);

/** How a request is made: after the document, or with parts that are not in it. */
type Source = { document: Document; known: Known; isSpoilt: boolean };

/** Values of a schema. */
function valueOf(schema: Schema, source: Source, name = ""): fc.Arbitrary<unknown> {
  const { document, isSpoilt } = source;
  const known = source.known[name] ?? [];
  if (schema.$ref)
    return valueOf(document.components.schemas[schema.$ref.split("/").at(-1)!]!, source, name);
  const choices = schema.anyOf ?? schema.oneOf;
  const right = choices
    ? fc.oneof(...choices.map((one) => valueOf(one, source)))
    : schema.enum
      ? fc.constantFrom(...schema.enum)
      : ofType(schema, source);
  return fc.oneof(
    ...knownOf(known, 30),
    { weight: 9, arbitrary: right },
    { weight: isSpoilt ? 1 : 0, arbitrary: nonsense },
  );
}

const knownOf = (known: string[], weight: number) =>
  known.length > 0 ? [{ weight, arbitrary: fc.constantFrom(...known) }] : [];

function ofType(schema: Schema, source: Source): fc.Arbitrary<unknown> {
  const { minimum = -10, multipleOf = 0.001, minItems = 0 } = schema;
  const { maximum = Math.max(minimum, 0) + 1_000 } = schema;
  switch (schema.type) {
    case "integer":
      return fc.integer({ min: minimum, max: maximum });
    case "number":
      // products such as 3 × 0.1 have more digits than a decimal number
      return fc
        .integer({ min: Math.ceil(minimum / multipleOf), max: Math.floor(maximum / multipleOf) })
        .map((factor) => factor * multipleOf);
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(valueOf(schema.items ?? {}, source), {
        minLength: minItems,
        maxLength: minItems + 3,
      });
    case "object":
      return objectOf(schema, source);
    default:
      return fc.oneof(
        { weight: 60, arbitrary: ofPattern(schema.pattern) },
        { weight: 1, arbitrary: anyText },
      );
  }
}

function objectOf({ properties = {}, required = [] }: Schema, source: Source) {
  const entries = Object.entries(properties).map(
    ([name, schema]) => [name, valueOf(schema, source, name)] as const,
  );
  const right = fc.record(Object.fromEntries(entries), { requiredKeys: required });
  if (!source.isSpoilt) return right;
  const wrong = fc.dictionary(anyText, nonsense, { maxKeys: 3 });
  return fc.tuple(right, wrong).map((parts) => Object.assign({}, ...parts) as object);
}

/** Text that a pattern matches. Of a pattern that fast-check cannot read (look-ahead, classes of Unicode), words that most accept. */
function ofPattern(pattern: string | undefined): fc.Arbitrary<string> {
  const words = fc.constantFrom("a", "pier.jpg", "sea", "Ünïcode", "0");
  if (pattern === undefined || /\(\?|\\p/i.test(pattern)) return words;
  return fc.stringMatching(new RegExp(pattern, "u"), { maxLength: 130 });
}

/** Any text as a part of a path or a query: percent-encoded, at times with what no encoder makes. */
const encoded = (text: fc.Arbitrary<unknown>, isSpoilt: boolean) =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: text.map((value) =>
        encodeURIComponent(
          (typeof value === "string" ? value : JSON.stringify(value)).toWellFormed(),
        ),
      ),
    },
    {
      weight: isSpoilt ? 1 : 0,
      arbitrary: fc.constantFrom("%ff", "%ed%a0%80", "%00", "%2F", "..", "%", "%zz", "+", "a%2Cb"),
    },
  );

const HEADER_VALUES = '*|"1"|W/"x"|bytes=0-1|bytes=-5|bytes=9-1|image/avif,*/*|a|é|"|-1|0x10'
  .split("|")
  .concat("x".repeat(2_000));

const anyHeader = (name: string, known: string[]) =>
  fc
    .oneof(...knownOf(known, 1), {
      weight: 1,
      arbitrary: fc.constantFrom(...HEADER_VALUES),
    })
    .map((value) => [name, value] as const);

/** For each operation of the document any request; half of them are after the document. */
export const anyRequests = (document: Document, known: Known): fc.Arbitrary<AnyRequest>[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      fc.oneof(
        ...[false, true].map((isSpoilt) =>
          requestOf([path, method.toUpperCase(), operation], { document, known, isSpoilt }),
        ),
      ),
    ),
  );

type Route = [path: string, method: string, operation: Operation];

function requestOf([path, method, operation]: Route, source: Source): fc.Arbitrary<AnyRequest> {
  const { document, known, isSpoilt } = source;
  const parameters = (operation.parameters ?? []).map((one) =>
    "$ref" in one ? document.components.parameters[one.$ref.split("/").at(-1)!]! : one,
  );
  const of = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const textOf = ({ name, schema = {} }: Parameter) =>
    encoded(valueOf(schema, source, name), isSpoilt);

  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const segments = fc.tuple(
    ...names.map((name) =>
      textOf(of("path").find((parameter) => parameter.name === name) ?? { in: "path", name }),
    ),
  );
  const pairs = of("query").map((parameter) =>
    textOf(parameter).map((value) => [parameter.name, value] as const),
  );
  const rightQuery = fc.uniqueArray(fc.oneof(fc.constant(["", ""] as const), ...pairs), {
    maxLength: 5,
    selector: ([name]) => name,
  });
  const wrongQuery = fc.array(
    fc.tuple(encoded(anyText, true), encoded(nonsense, true)),
    isSpoilt ? { maxLength: 20 } : { maxLength: 0 },
  );
  const query = fc
    .tuple(rightQuery, wrongQuery)
    .map((parts) => parts.flat().flatMap(([name, value]) => (name ? [`${name}=${value}`] : [])));
  const headerNames = ["accept", "range", "if-none-match", "if-match", "idempotency-key", "origin"];
  const headerOf = (name: string) => anyHeader(name, known[name] ?? []);
  const documented = of("header").map(({ name }) => name.toLowerCase());
  const headers = fc
    .tuple(
      fc.array(fc.oneof(...headerNames.map(headerOf)), { maxLength: 2 }),
      ...documented.filter((name) => headerNames.includes(name)).map(headerOf),
    )
    .map(([some, ...others]) => [...some, ...others]);
  const [[type, media] = []] = Object.entries(operation.requestBody?.content ?? {});
  const contentType = fc.oneof(
    { weight: 9, arbitrary: fc.constant(type ?? "application/json") },
    {
      weight: isSpoilt ? 1 : 0,
      arbitrary: fc.constantFrom("image/jpeg/x", "text/plain", "application/x-y+json", ""),
    },
  );
  const body = bodyOf(type, media?.schema ?? {}, source);
  return fc
    .record({ segments, query, headers, body, contentType })
    .map(({ segments: values, query: texts, headers: pairsOfHeaders, body: sent, contentType }) => {
      let index = 0;
      const filled = path.replaceAll(/\{\w+\}/g, () => String(values[index++]));
      return {
        operationId: operation.operationId,
        method,
        path: texts.length > 0 ? `${filled}?${texts.join("&")}` : filled,
        headers: {
          ...Object.fromEntries(pairsOfHeaders),
          ...(sent !== undefined && contentType && { "content-type": contentType }),
        },
        body: sent,
        security: Object.keys(operation.security?.[0] ?? {})[0],
      };
    });
}

function bodyOf(
  type: string | undefined,
  schema: Schema,
  source: Source,
): fc.Arbitrary<string | Buffer | undefined> {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  if (type === undefined) return fc.constant(undefined);
  if (type !== "application/json") return bytes;
  return fc.oneof(
    { weight: 9, arbitrary: valueOf(schema, source).map((value) => JSON.stringify(value)) },
    { weight: source.isSpoilt ? 1 : 0, arbitrary: fc.oneof(bytes, anyText) },
  );
}
