import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Case } from "./case.ts";

/** Every case of the JSON files beside this one, by its number. */
export function cases(): Case[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name): Case[] => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
