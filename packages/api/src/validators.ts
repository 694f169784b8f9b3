import { type Issue, VisibleError } from "@balde/core/error";
import { invalidInput } from "@balde/core/validation";
import type { InputError } from "@balde/http/problem";
import type { MiddlewareHandler } from "hono";
import * as z from "zod/mini";

type Shaped = z.ZodMiniObject;
/** What a client writes into a path or a query is text; the schema turns it into what a verb takes. */
type Texts<Shape> = { [Key in keyof Shape]: string };

type Door<Target extends string, In, Out> = MiddlewareHandler<
  // oxlint-disable-next-line typescript/no-explicit-any
  any,
  string,
  { in: { [key in Target]: In }; out: { [key in Target]: Out } }
>;

/** What a door lets in. */
export type Told = { target: "query" | "param" | "json"; schema: Shaped };
const tellings = new WeakMap<object, Told>();

/** What a route's door lets in, for whoever describes the API; undefined when the handler is no door. */
export const tells = (handler: object): Told | undefined => tellings.get(handler);

function told<It extends object>(target: Told["target"], schema: Shaped, door: It): It {
  tellings.set(door, { target, schema });
  return door;
}

/** The query as `schema` reads it. A key that is unknown or there twice is refused by name. */
export const query = <Schema extends Shaped>(
  schema: Schema,
): Door<"query", Texts<z.input<Schema>>, z.output<Schema>> =>
  told("query", schema, async function queryDoor(c, next) {
    const sent = Object.entries(c.req.queries());
    const twice = sent.filter(([, values]) => values.length > 1);
    if (twice.length)
      throw refused(
        twice.map(([key]) => issue(key, "is there twice")),
        parameter,
      );
    const values = Object.fromEntries(sent.map(([key, [value]]) => [key, value]));
    c.req.addValidatedData("query", read(schema, values, parameter));
    await next();
  });

/** The parameters of the path. */
export const path = <Schema extends Shaped>(
  schema: Schema,
): Door<"param", Texts<z.input<Schema>>, z.output<Schema>> =>
  told("param", schema, async function pathDoor(c, next) {
    c.req.addValidatedData("param", read(schema, c.req.param(), parameter));
    await next();
  });

/** The body, which must be JSON and say so. */
export const json = <Schema extends Shaped>(
  schema: Schema,
): Door<"json", z.input<Schema>, z.output<Schema>> =>
  told("json", schema, async function jsonDoor(c, next) {
    const type = c.req.header("content-type");
    if (!type || !/^application\/([\w.-]+\+)?json *(;|$)/i.test(type)) throw notJson(type);
    const value: unknown = await c.req.json().catch(malformed);
    c.req.addValidatedData("json", read(schema, value, pointer));
    await next();
  });

/** A number in a query: `""`, `0x10` and `1e3` are not numbers there. */
export const number = <Schema extends z.ZodMiniType<number>>(schema: Schema) =>
  z.pipe(
    z.pipe(z.string().check(z.regex(/^-?\d+$/, "expected a whole number")), z.transform(Number)),
    schema as unknown as z.ZodMiniType<number, number>,
  );

/** Several values in one parameter of a query, with commas between them. */
export const list = <Item>(schema: z.ZodMiniType<Item[], never[]> | z.ZodMiniType<Item[]>) =>
  z.pipe(
    z.pipe(
      z.string(),
      z.transform((text: string) => text.split(",")),
    ),
    schema as unknown as z.ZodMiniType<Item[], string[]>,
  );

/** Input that reached no verb, with the part of the request in which each fault is. */
export class InvalidInputError extends VisibleError {
  readonly errors: InputError[];

  constructor(message: string, errors: InputError[]) {
    super("invalid", "input.invalid", message);
    this.errors = errors;
  }
}

function read(schema: Shaped, value: unknown, toError: (issue: Issue) => InputError) {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data as object;
  const allowed = Object.keys(schema.shape).join(", ");
  const issues = result.error.issues.flatMap((found) =>
    found.code === "unrecognized_keys" && found.path.length === 0
      ? found.keys.map((key) => issue(key, `is not known here; allowed: ${allowed}`))
      : (invalidInput([found]).issues ?? []),
  );
  throw refused(issues, toError);
}

function refused(issues: Issue[], toError: (issue: Issue) => InputError) {
  const lines = issues.map(({ pointer, detail }) =>
    pointer ? `${pointer.slice(1)}: ${detail}` : detail,
  );
  return new InvalidInputError(lines.join("; "), issues.map(toError));
}

const issue = (key: string, detail: string): Issue => ({ pointer: `/${key}`, detail });

export const pointer = ({ pointer, detail }: Issue) => ({ pointer: `#${pointer}`, detail });

/** `/ids/3` is about the parameter `ids`. */
export const parameter = ({ pointer, detail }: Issue) => ({
  parameter: pointer.split("/")[1] ?? "",
  detail,
});

const notJson = (type: string | undefined) =>
  new VisibleError(
    "unsupported",
    "body.not_json",
    `The body must be application/json, this is ${type ?? "without a Content-Type"}`,
  );

function malformed(error: unknown): never {
  throw new VisibleError(
    "invalid",
    "body.malformed",
    `The body is not JSON: ${error instanceof Error ? error.message : "it cannot be parsed"}`,
    { cause: error },
  );
}
