import * as Request from "@balde/imaging/request.schema";
import type * as z from "zod/mini";

import { type Schema, createSchemas, properties } from "./schema.ts";

export type Parameter = {
  in: "query" | "header" | "path";
  name: string;
  description?: string | undefined;
  required?: boolean;
  schema?: Schema;
};

export const ifNoneMatchParameters: readonly Parameter[] = [
  {
    in: "header",
    name: "If-None-Match",
    description:
      "The ETag of a response that the client has; if it is still current, the response is 304.",
  },
];

export const rangeParameters: readonly Parameter[] = [
  { in: "header", name: "Range", description: "One range of bytes, such as `bytes=0-1023`." },
];

export const idempotencyKeyParameter: Parameter = {
  in: "header",
  name: "Idempotency-Key",
  description:
    "1 to 255 visible ASCII characters, such as a UUID. The same request with the same key, within a day, continues the first one if that failed; otherwise it creates nothing and returns the first one's image, as it is now, with `Idempotency-Replayed: true`.",
};

export const imageNameParameter: Parameter = {
  in: "query",
  name: "image",
  description: "The name of the image.",
  required: true,
  schema: { type: "string" },
};

export const contentTypeParameter: Parameter = {
  in: "header",
  name: "Content-Type",
  description:
    "Any type of an image, or `application/octet-stream`: the bytes decide. Without it the gateway would change the bytes.",
  required: true,
  schema: { type: "string" },
};

/** The query of delivery, from the same schema that parses it. */
export const deliveryParameters: readonly Parameter[] = readDeliveryParameters();

function readDeliveryParameters(): Parameter[] {
  const { of } = createSchemas();
  // numbers are documented by their value, everything else by its text in the query
  const texts = new Map(properties(of(Request.Grammar, "input")).map(([key, it]) => [key, it]));
  return properties(of(Request.Grammar, "output")).map(([name, meaning]) => {
    const { description, ...schema } = isNumber(meaning) ? meaning : texts.get(name)!;
    return { in: "query", name, description: description as string | undefined, schema };
  });
}

/** Whether the schema is a number, or a number or a keyword such as "auto". */
function isNumber(schema: Schema): boolean {
  const either = schema["anyOf"] as Schema[] | undefined;
  if (either)
    return (
      either.some(isNumber) && either.every((it) => isNumber(it) || "const" in it || "enum" in it)
    );
  return schema["type"] === "integer" || schema["type"] === "number";
}

/** The parameters that the schema of a validator declares, in the order of its keys. */
export function parametersOf(where: "query" | "path", schema: z.core.$ZodType): Parameter[] {
  const { of } = createSchemas();
  return properties(of(schema, "output")).map(([name, { description, ...property }, required]) => ({
    in: where,
    name,
    description: description as string | undefined,
    required: where === "path" || required,
    schema: property,
  }));
}

/** Parameters that are components of the document, which operations refer to. */
export const sharedParameters: readonly Parameter[] = [
  ...deliveryParameters,
  ...ifNoneMatchParameters,
  ...rangeParameters,
];

export const toReference = (parameter: Parameter) =>
  sharedParameters.includes(parameter)
    ? { $ref: `#/components/parameters/${parameter.name}` }
    : toParameterObject(parameter);

/** The parameter object of OpenAPI. A list is written with commas. */
export const toParameterObject = ({
  description,
  schema = { type: "string" },
  required,
  ...it
}: Parameter) => ({
  ...it,
  ...(description && { description }),
  ...(required && { required }),
  ...(schema["type"] === "array" && { style: "form", explode: false }),
  schema,
});
