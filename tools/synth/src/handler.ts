import { existsSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

/**
 * What is wrong with a function's `handler` (`path/from/root.exportedName`), or undefined. SST checks only that the file
 * exists; a wrong exported name would fail at the first call.
 */
export async function findProblem(root: string, handler: string): Promise<string | undefined> {
  const dot = handler.lastIndexOf(".");
  const [path, name] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const file = extensions
    .map((extension) => path + extension)
    .find((file) => existsSync(join(root, file)));
  if (!file) return `the handler ${handler} has no file: ${path}.ts does not exist`;
  const { metafile } = await build({
    entryPoints: [join(root, file)],
    bundle: false,
    write: false,
    metafile: true,
    format: "esm",
    outdir: "out",
    logLevel: "silent",
  });
  const exported = Object.values(metafile.outputs).flatMap((output) => output.exports);
  if (!exported.includes(name))
    return `the handler ${handler} does not exist: ${file} exports ${exported.join(", ") || "nothing"}`;
  return undefined;
}

const extensions = [".ts", ".mts", ".tsx", ".js", ".mjs"];
