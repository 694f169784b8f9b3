import * as z from "zod/mini";

/** A JSON Schema of draft 2020-12, which is what OpenAPI 3.1 takes. */
export type Schema = { [key: string]: unknown };

export type Schemas = {
  /** What is sent (`input`) or answered (`output`). A schema with an id becomes a component, and this a reference to it. */
  of(schema: z.core.$ZodType, io: "input" | "output"): Schema;
  components: Record<string, Schema>;
};

export function createSchemas(): Schemas {
  const components: Record<string, Schema> = {};
  return {
    components,
    of(schema, io) {
      const { $schema: _, $defs = {}, ...own } = z.toJSONSchema(schema, { io });
      for (const [id, component] of Object.entries($defs)) components[id] = tidy(component, io);
      return tidy(own, io);
    },
  };
}

/** References go to the document's components; what every number of JavaScript has as a limit is none; an answer may have more fields tomorrow. */
function tidy(schema: unknown, io: "input" | "output"): Schema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    if (key === "$ref") return String(value).replace("#/$defs/", "#/components/schemas/");
    if (key === "additionalProperties" && value === false && io === "output") return undefined;
    if (key === "maximum" && value === Number.MAX_SAFE_INTEGER) return undefined;
    if (key === "minimum" && value === Number.MIN_SAFE_INTEGER) return undefined;
    return value;
  });
}

/** Every property of an object schema, with whether it must be there. */
export function properties(schema: Schema): [name: string, property: Schema, required: boolean][] {
  const required = new Set(schema["required"] as string[] | undefined);
  return Object.entries((schema["properties"] ?? {}) as Record<string, Schema>).map(
    ([name, property]) => [name, property, required.has(name)],
  );
}
