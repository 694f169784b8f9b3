import { Refusal } from "./refusal.ts";
import { parse } from "./request.ts";
import { PresetName, type Request } from "./request.schema.ts";

/** Requests by preset name. */
export type Presets = ReadonlyMap<string, Request>;

/**
 * The presets of a stage, from names and their queries.
 *
 * @throws Error for an invalid name or query, because that is a mistake in the settings and not of a visitor
 */
export function read(queries: Readonly<Record<string, string>>): Presets {
  return new Map(
    Object.entries(queries).map(([name, query]) => {
      try {
        return [PresetName.parse(name), meaning(query)];
      } catch (error) {
        throw new Error(`the preset ${name} = ${JSON.stringify(query)} is wrong`, { cause: error });
      }
    }),
  );
}

/**
 * The preset's request, with the keys of the request itself over it.
 *
 * @throws delivery.no_such_preset with the names that exist
 */
export function apply(presets: Presets, name: string, request: Request): Request {
  const preset = presets.get(name);
  if (!preset) throw unknown(presets, name);
  return { ...preset, ...request };
}

function meaning(query: string): Request {
  const values: Record<string, string[]> = {};
  for (const [key, value] of new URLSearchParams(query)) (values[key] ??= []).push(value);
  const { request, signature } = parse(values);
  if (signature) throw new Error("a preset cannot be signed");
  if (request.w === undefined && request.h === undefined)
    throw new Error("a preset has w or h, because its srcset is that size for denser screens");
  if (request.f === "json") throw new Error("a preset is a picture; f=json is not");
  return request;
}

function unknown(presets: Presets, name: string) {
  const shown = JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
  const names = [...presets.keys()].toSorted().join(", ");
  return new Refusal(
    "not_found",
    "delivery.no_such_preset",
    `${shown} is neither a revision (12 hexadecimal digits) nor a preset; the presets are ${names}`,
  );
}
