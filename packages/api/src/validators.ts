import { type Issue, VisibleError } from "@balde/core/error";
import { invalidInput } from "@balde/core/validation";
import type { InputError } from "@balde/http/problem";
import type { MiddlewareHandler } from "hono";
import * as z from "zod/mini";

type ObjectSchema = z.ZodMiniObject;
/** Values in a path or a query are text on the wire; the schema converts them. */
type Texts<Shape> = { [Key in keyof Shape]: string };

type Validator<Target extends string, In, Out> = MiddlewareHandler<
  // oxlint-disable-next-line typescript/no-explicit-any
  any,
  string,
  { in: { [key in Target]: In }; out: { [key in Target]: Out } }
>;

/** The part of the request that a validator reads, and its schema. */
export type ValidatorSchema = { target: "query" | "param" | "json"; schema: ObjectSchema };
const schemas = new WeakMap<object, ValidatorSchema>();

/** The schema of a validator, which the OpenAPI document is made from; undefined for any other handler. */
export const schemaOf = (handler: object): ValidatorSchema | undefined => schemas.get(handler);

function register<It extends object>(
  target: ValidatorSchema["target"],
  schema: ObjectSchema,
  validator: It,
): It {
  schemas.set(validator, { target, schema });
  return validator;
}

/** Returns a validator of the query. @throws input.invalid naming each unknown, repeated or wrong key */
export const query = <Schema extends ObjectSchema>(
  schema: Schema,
): Validator<"query", Texts<z.input<Schema>>, z.output<Schema>> =>
  register("query", schema, async function validateQuery(c, next) {
    const sent = Object.entries(c.req.queries());
    const repeated = sent.filter(([key, values]) => values.length > 1 && !isList(schema, key));
    if (repeated.length)
      throw invalidInputError(
        repeated.map(([key]) => issueAt(key, "is repeated; send it once")),
        toParameterError,
      );
    const values = Object.fromEntries(sent.map(([key, parts]) => [key, parts.join(",")]));
    c.req.addValidatedData("query", parse(schema, values, toParameterError));
    await next();
  });

/** Returns a validator of the parameters in the path. @throws input.invalid naming each wrong parameter */
export const path = <Schema extends ObjectSchema>(
  schema: Schema,
): Validator<"param", Texts<z.input<Schema>>, z.output<Schema>> =>
  register("param", schema, async function validatePath(c, next) {
    c.req.addValidatedData("param", parse(schema, c.req.param(), toParameterError));
    await next();
  });

/** The largest valid body, 100 requests of signed URLs, has less than half of it. A body of six megabytes could have a million errors. */
const MAX_JSON_BYTES = 256 * 1024;

/** Returns a validator of a JSON body. @throws body.not_json | body.too_large | body.malformed | input.invalid */
export const json = <Schema extends ObjectSchema>(
  schema: Schema,
): Validator<"json", z.input<Schema>, z.output<Schema>> =>
  register("json", schema, async function validateJson(c, next) {
    const type = c.req.header("content-type");
    if (!type || !/^application\/([\w.-]+\+)?json *(;|$)/i.test(type)) throw notJsonError(type);
    const text = await c.req.text();
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_JSON_BYTES) throw tooLargeError(bytes);
    const value = parseJson(text);
    c.req.addValidatedData("json", parse(schema, value, toPointerError));
    await next();
  });

/** The schema of a whole number in a query, in decimal digits: `""`, `0x10` and `1e3` are not accepted. */
export const number = <Schema extends z.ZodMiniType<number>>(schema: Schema) =>
  z.pipe(
    z.pipe(z.string().check(z.regex(/^-?\d+$/, "expected a whole number")), z.transform(Number)),
    schema as unknown as z.ZodMiniType<number, number>,
  );

/** The schema of several values in one query parameter, separated by commas; the parameter may be repeated instead. */
export const list = <Item>(schema: z.ZodMiniType<Item[], never[]> | z.ZodMiniType<Item[]>) => {
  const values = z.pipe(
    z.pipe(
      z.string(),
      z.transform((text: string) => text.split(",")),
    ),
    schema as unknown as z.ZodMiniType<Item[], string[]>,
  );
  lists.add(values);
  return values;
};

const lists = new WeakSet<object>();

/** Whether the schema has a list under this key, optional or not. */
function isList(schema: ObjectSchema, key: string): boolean {
  const value = Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
  return (
    value !== undefined &&
    (lists.has(value) || lists.has((value as z.ZodMiniOptional).def.innerType ?? value))
  );
}

/** Input that does not match the schema of its route, with the place of each fault in the request. */
export class InvalidInputError extends VisibleError {
  readonly errors: InputError[];

  constructor(message: string, errors: InputError[]) {
    super("invalid", "input.invalid", message);
    this.errors = errors;
  }
}

function parse(schema: ObjectSchema, value: unknown, toError: (issueAt: Issue) => InputError) {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data as object;
  const allowed = Object.keys(schema.shape).join(", ");
  const issues = result.error.issues.flatMap((found) =>
    found.code === "unrecognized_keys" && found.path.length === 0
      ? found.keys.map((key) => issueAt(key, `is unknown; allowed: ${allowed}`))
      : (invalidInput([found]).issues ?? []),
  );
  throw invalidInputError(issues, toError);
}

function invalidInputError(issues: Issue[], toError: (issue: Issue) => InputError) {
  const lines = issues.map(({ pointer: toPointerError, detail }) =>
    toPointerError ? `${toPointerError.slice(1)}: ${detail}` : detail,
  );
  return new InvalidInputError(lines.join("; "), issues.map(toError));
}

const issueAt = (key: string, detail: string): Issue => ({ pointer: `/${key}`, detail });

export const toPointerError = ({ pointer, detail }: Issue) => ({ pointer: `#${pointer}`, detail });

/** A fault at `/ids/3` belongs to the parameter `ids`. */
export const toParameterError = ({ pointer, detail }: Issue) => ({
  parameter: pointer.split("/")[1] ?? "",
  detail,
});

const notJsonError = (type: string | undefined) =>
  new VisibleError(
    "unsupported",
    "body.not_json",
    `The body must have the Content-Type application/json; it has ${type ?? "none"}`,
  );

const tooLargeError = (bytes: number) =>
  new VisibleError(
    "too_large",
    "body.too_large",
    `The body has ${bytes} bytes; a JSON body may have at most ${MAX_JSON_BYTES}`,
  );

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new VisibleError(
      "invalid",
      "body.malformed",
      `The body is not valid JSON: ${error instanceof Error ? error.message : "it cannot be parsed"}`,
      { cause: error },
    );
  }
}
