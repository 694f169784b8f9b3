import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { document } from "./document.ts";
import { readGatewayMethods } from "./gateway-methods.ts";

/** Writes what the routes, the schemas and the graph come to; with `--check`, says whether that is so. */
const root = join(import.meta.dirname, "../../..");
const file = "packages/api/src/openapi.json";

const text = `${JSON.stringify(document(readGatewayMethods(join(root, "infra/stack.json"))), null, 1)}\n`;
const isFresh = text === readFileSync(join(root, file), "utf8");

if (!process.argv.includes("--check")) writeFileSync(join(root, file), text);
else if (!isFresh) {
  console.error(`${file}: not what the routes say. Run \`pnpm synth\` and commit the difference.`);
  process.exitCode = 1;
}
