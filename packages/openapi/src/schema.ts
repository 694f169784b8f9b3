import * as z from "zod/mini";

/** A JSON Schema of draft 2020-12, the dialect of OpenAPI 3.1. */
export type Schema = { [key: string]: unknown };

export type Schemas = {
  /** The JSON Schema of a request (`input`) or a response (`output`). A schema with an id becomes a component, and the result a reference to it. */
  of(schema: z.core.$ZodType, io: "input" | "output"): Schema;
  components: Record<string, Schema>;
};

/** Returns a converter from zod to JSON Schema, which collects the components. */
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

/** Points references at the document's components, drops the limits of every JavaScript number, and allows a response to get more fields later. */
function tidy(schema: unknown, io: "input" | "output"): Schema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    if (key === "$ref") return String(value).replace("#/$defs/", "#/components/schemas/");
    if (key === "additionalProperties" && value === false && io === "output") return undefined;
    if (key === "maximum" && value === Number.MAX_SAFE_INTEGER) return undefined;
    if (key === "minimum" && value === Number.MIN_SAFE_INTEGER) return undefined;
    return value;
  });
}

/** The properties of an object schema, and whether each is required. */
export function properties(schema: Schema): [name: string, property: Schema, required: boolean][] {
  const required = new Set(schema["required"] as string[] | undefined);
  return Object.entries((schema["properties"] ?? {}) as Record<string, Schema>).map(
    ([name, property]) => [name, property, required.has(name)],
  );
}
