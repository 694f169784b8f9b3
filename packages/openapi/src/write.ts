import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { document } from "./document.ts";
import { readGatewayMethods } from "./gateway-methods.ts";

/** Writes the OpenAPI document; with `--check`, fails if the written one is out of date. */
const root = join(import.meta.dirname, "../../..");
const file = "packages/api/src/openapi.json";

const text = `${JSON.stringify(document(readGatewayMethods(join(root, "infra/stack.json"))), null, 1)}\n`;
const isFresh = text === readFileSync(join(root, file), "utf8");

if (!process.argv.includes("--check")) writeFileSync(join(root, file), text);
else if (!isFresh) {
  console.error(`${file}: out of date. Run \`npx pnpm synth\` and commit the difference.`);
  process.exitCode = 1;
}
