import type { Resource } from "./graph/resource-graph.ts";

/** What is known of a type's properties: emulated, or without meaning on a laptop. */
export type Known = {
  emulated: string[];
  meaningless?: string[];
  only?: Record<string, unknown[]>;
};

export const labels = ["description", "tags", "tagsAll", "region", "name"];

/** Sentences about every property that is set and is not known, or has a value that is not. */
export function unknownProperties({ type, name, inputs }: Resource, known: Known): string[] {
  const properties = new Set([...known.emulated, ...(known.meaningless ?? [])]);
  const says = (path: string, value: unknown) => sentence({ type, name }, path, value);
  const found = Object.entries(inputs)
    .filter(([key, value]) => !key.startsWith("__") && isSet(value) && !properties.has(key))
    .map(([key, value]) => says(key, value));
  for (const [key, values] of Object.entries(known.only ?? {}))
    if (isSet(inputs[key]) && !values.includes(inputs[key])) found.push(says(key, inputs[key]));
  return found;
}

export const sentence = (
  { type, name }: Pick<Resource, "type" | "name">,
  path: string,
  value: unknown,
) => `${name} (${type}): ${path} = ${JSON.stringify(value)} is not emulated`;

/** What Pulumi leaves empty or false asks for nothing. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
