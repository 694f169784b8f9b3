import * as Upload from "@balde/core/upload.schema";
import * as Request from "@balde/imaging/request.schema";
import type * as z from "zod/mini";

import { type Schema, createSchemas, properties } from "./schema.ts";

export type Parameter = {
  in: "query" | "header" | "path";
  name: string;
  says?: string | undefined;
  required?: boolean;
  schema?: Schema;
};

export const conditional: readonly Parameter[] = [
  {
    in: "header",
    name: "If-None-Match",
    says: "An ETag that is already there: answered with 304.",
  },
];

export const ranged: readonly Parameter[] = [
  { in: "header", name: "Range", says: "One range of bytes, `bytes=0-1023`." },
];

export const idempotencyKey: Parameter = {
  in: "header",
  name: "Idempotency-Key",
  says: "1 to 255 visible ASCII characters, such as a UUID. The same request with the same key is answered with the first one's answer and `Idempotency-Replayed: true`, and creates nothing again.",
};

export const name: Parameter = {
  in: "query",
  name: "image",
  says: "The name under which the picture is published.",
  required: true,
  schema: { type: "string" },
};

export const pictureType: Parameter = {
  in: "header",
  name: "Content-Type",
  says: "What is sent.",
  required: true,
  schema: { type: "string", enum: [...Upload.CONTENT_TYPES] },
};

/** The keys of the delivery, from the one schema that also parses them. */
export const delivery: readonly Parameter[] = deliveryKeys();

function deliveryKeys(): Parameter[] {
  const { of } = createSchemas();
  // a number as the number it means, everything else as the text that stands in the query
  const texts = new Map(properties(of(Request.Grammar, "input")).map(([key, it]) => [key, it]));
  return properties(of(Request.Grammar, "output")).map(([name, meaning]) => {
    const { description, ...schema } = isNumber(meaning) ? meaning : texts.get(name)!;
    return { in: "query", name, says: description as string | undefined, schema };
  });
}

/** A number, or a word in its place. */
function isNumber(schema: Schema): boolean {
  const either = schema["anyOf"] as Schema[] | undefined;
  if (either) return either.some(isNumber) && either.every((it) => isNumber(it) || "const" in it);
  return schema["type"] === "integer" || schema["type"] === "number";
}

/** What a door reads from the query or the path. */
export function fromDoor(where: "query" | "path", door: z.core.$ZodType): Parameter[] {
  const { of } = createSchemas();
  return properties(of(door, "output")).map(([name, { description, ...schema }, required]) => ({
    in: where,
    name,
    says: description as string | undefined,
    required: where === "path" || required,
    schema,
  }));
}

/** Said once, and referred to. */
export const shared: readonly Parameter[] = [...delivery, ...conditional, ...ranged];

export const reference = (parameter: Parameter) =>
  shared.includes(parameter)
    ? { $ref: `#/components/parameters/${parameter.name}` }
    : written(parameter);

/** As the document has it. Several values in one parameter stand with commas between them. */
export const written = ({ says, schema = { type: "string" }, required, ...it }: Parameter) => ({
  ...it,
  ...(says && { description: says }),
  ...(required && { required }),
  ...(schema["type"] === "array" && { style: "form", explode: false }),
  schema,
});
