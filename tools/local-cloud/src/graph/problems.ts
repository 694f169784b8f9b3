import type * as z from "zod/mini";

import type { ResourceInFile } from "./graph-file.ts";
import { isIgnored } from "./ignored-types.ts";
import { RESOURCE_TYPES, currentName, isRead } from "./resource-types.ts";

/** Returns a sentence for everything about a resource that is not emulated: its type, a property, or a value. */
export function problemsOf(resource: ResourceInFile): string[] {
  const type = currentName(resource.type);
  if (!isRead(type))
    return isIgnored(type) ? [] : [`${titleOf(resource)}: the resource type is not emulated`];
  const { inputs, outputs } = RESOURCE_TYPES[type];
  return [
    ...check(inputs, withoutPulumiKeys(resource.inputs), resource),
    ...check(outputs, resource.outputs, resource),
  ];
}

const titleOf = ({ name, type }: ResourceInFile) => `${name} (${type})`;

function check(schema: z.core.$ZodType, value: unknown, resource: ResourceInFile): string[] {
  const result = (schema as z.ZodMiniType).safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) =>
    sentencesOf(issue, value).map((sentence) => `${titleOf(resource)}: ${sentence}`),
  );
}

/** Pulumi keeps notes of its own beside the inputs. */
const withoutPulumiKeys = (inputs: object) =>
  Object.fromEntries(Object.entries(inputs).filter(([key]) => !key.startsWith("__")));

function sentencesOf(issue: z.core.$ZodIssue, root: unknown): string[] {
  const value = valueAt(root, issue.path);
  if (issue.code === "unrecognized_keys")
    return issue.keys
      .map((key) => ({ path: [...issue.path, key], inner: valueAt(value, [key]) }))
      .filter(({ inner }) => isSet(inner))
      .map(({ path, inner }) => notEmulated(path, inner));
  if (value === undefined) return [`${pathOf(issue.path)} is missing`];
  if (issue.code === "invalid_value") {
    const allowed = issue.values.map((one) => JSON.stringify(one)).join(", ");
    return [`${notEmulated(issue.path, value)}, only ${allowed}`];
  }
  if (issue.code === "invalid_type")
    return [`${pathOf(issue.path)} = ${shown(value)} is not of the type ${issue.expected}`];
  if (issue.code === "invalid_union") {
    const deeper = issue.errors.flat().find(({ path }) => path.length > 0);
    if (deeper) return sentencesOf({ ...deeper, path: [...issue.path, ...deeper.path] }, root);
  }
  return [notEmulated(issue.path, value)];
}

const notEmulated = (path: PropertyKey[], value: unknown) =>
  `${pathOf(path)} = ${shown(value)} is not emulated`;

/** `rules[0].expiration.date` */
const pathOf = (path: PropertyKey[]) =>
  path
    .map((key, at) => (typeof key === "number" ? `[${key}]` : `${at > 0 ? "." : ""}${String(key)}`))
    .join("");

const MAX_SHOWN_CHARACTERS = 200;

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}

function valueAt(root: unknown, path: PropertyKey[]): unknown {
  let value = root;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  return value;
}

/** An empty or false property is the same as none. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
