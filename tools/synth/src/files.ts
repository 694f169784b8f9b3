import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as Env from "./env.ts";
import type { Graph } from "./graph.ts";
import * as Stack from "./stack.ts";

/** The committed files that are generated from the graph of the stage `laptop`: their contents by path from the root. */
export function generatedFiles(root: string, laptop: Graph): Record<string, string> {
  const packages = ["packages", "tools"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .map((name) => `${folder}/${name}`)
      .filter((path) => existsSync(join(root, path, "package.json"))),
  );
  return {
    "infra/stack.json": Stack.print(Stack.toStackFile(laptop)),
    "sst-env.d.ts": Env.rootTypesFile(laptop),
    ...Object.fromEntries(
      packages.map((path) => [`${path}/sst-env.d.ts`, Env.packageTypesFile("../..")]),
    ),
  };
}

/** The SST program of the conformance fixture, an API with every feature of API Gateway. */
export const fixtureProgram = "tools/local-cloud/fixture";

/** The committed files that are generated from the fixture's graph. */
export const fixtureFiles = (graph: Graph): Record<string, string> => ({
  [`${fixtureProgram}/stack.json`]: Stack.print(Stack.toStackFile(graph)),
});

/** The paths whose file is missing or has another content. */
export function staleFiles(root: string, files: Record<string, string>): string[] {
  return Object.keys(files).filter((file) => {
    const path = join(root, file);
    return !existsSync(path) || readFileSync(path, "utf8") !== files[file];
  });
}
