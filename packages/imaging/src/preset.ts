import { Refusal } from "./refusal.ts";
import { parse } from "./request.ts";
import { PresetName, type Request } from "./request.schema.ts";

/** Requests that have a name. */
export type Presets = ReadonlyMap<string, Request>;

/** Reads presets from how they are written: a name and the query that it stands for. Throws at what no name can be or no query may hold: that is the owner's mistake, not a visitor's. */
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

/** What is asked for under a preset's name: what the preset says, and over it what the request itself says. Refuses a name that is not there with those that are. */
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
