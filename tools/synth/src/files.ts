import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as Env from "./env.ts";
import type { Graph } from "./graph.ts";
import * as Stack from "./stack.ts";

/** The committed files that follow from the graph of the stage `laptop`, by their path from the root. */
export function generated(root: string, laptop: Graph): Record<string, string> {
  const packages = ["packages", "tools"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .map((name) => `${folder}/${name}`)
      .filter((path) => existsSync(join(root, path, "package.json"))),
  );
  return {
    "infra/stack.json": Stack.print(Stack.toStack(laptop)),
    "sst-env.d.ts": Env.rootFile(laptop),
    ...Object.fromEntries(
      packages.map((path) => [`${path}/sst-env.d.ts`, Env.packageFile("../..")]),
    ),
  };
}

/** An API of everything that API Gateway does, for the conformance cases: a program of its own. */
export const fixtureProgram = "tools/local-cloud/fixture";

export const ofFixture = (graph: Graph): Record<string, string> => ({
  [`${fixtureProgram}/stack.json`]: Stack.print(Stack.toStack(graph)),
});

/** Those that are not as the graph says. */
export function stale(root: string, files: Record<string, string>): string[] {
  return Object.keys(files).filter((file) => {
    const path = join(root, file);
    return !existsSync(path) || readFileSync(path, "utf8") !== files[file];
  });
}
