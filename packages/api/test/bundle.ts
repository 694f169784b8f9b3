import { type Metafile, build } from "esbuild";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { esbuildOptions } from "../../../tools/local-cloud/src/lambda/esbuild-options.ts";
import { loadGraph } from "../../../tools/local-cloud/src/graph/resource-graph.ts";

export const root = resolve(import.meta.dirname, "../../..");

export type Bundle = { folder: string; entry: string; metafile: Metafile; remove: () => void };

/** The function as the graph says that SST bundles it. */
export async function bundle(): Promise<Bundle> {
  const source = Object.values(loadGraph(join(root, "infra/stack.json")).functions).find(
    ({ handler }) => handler === "packages/api/src/lambda.handler",
  )!;
  const folder = mkdtempSync(join(tmpdir(), "balde-api-"));
  const built = await build(esbuildOptions(source, root, folder));
  for (const { path, contents } of built.outputFiles!) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  return {
    folder,
    entry: join(folder, "bundle.mjs"),
    metafile: built.metafile!,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
