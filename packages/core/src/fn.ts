import type * as z from "zod/mini";

import * as Validation from "./validation.ts";

/**
 * An async function that checks its input against `schema` before it runs `body`, and has the schema as a property.
 * It never throws synchronously: input that does not fit rejects the promise.
 *
 * @throws input.invalid with one issue for each thing that is wrong
 */
export function fn<Schema extends z.ZodMiniType, Result>(
  schema: Schema,
  body: (input: z.output<Schema>) => Result,
) {
  const checked = async (input: z.input<Schema>): Promise<Awaited<Result>> =>
    await body(Validation.parse(schema, input));
  return Object.assign(checked, { schema });
}
