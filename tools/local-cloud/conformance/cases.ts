import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Case } from "./case.ts";

/** Returns the cases of all JSON files in this folder. */
export function cases(): Case[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .flatMap((name): Case[] => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")));
}
