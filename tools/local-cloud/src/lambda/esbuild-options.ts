import type { BuildOptions, Loader } from "esbuild";
import { existsSync } from "node:fs";
import { dirname, extname, join } from "node:path";

import type { FunctionSource } from "../graph/resource-graph.ts";

/**
 * The esbuild options of SST 4.17's `pkg/runtime/node/build.go` for a deploy, so that a laptop runs the bundle that AWS would.
 * https://github.com/anomalyco/sst/blob/dev/pkg/runtime/node/build.go
 */
export function esbuildOptions(source: FunctionSource, root: string, folder: string): BuildOptions {
  const nodejs: Nodejs = source.nodejs ?? {};
  const custom = nodejs.esbuild ?? {};
  const commonJs = nodejs.format === "cjs";
  const target = join(folder, commonJs ? "bundle.cjs" : "bundle.mjs");
  return {
    absWorkingDir: root,
    entryPoints: [entryPoint(source, root)],
    platform: "node",
    bundle: true,
    metafile: true,
    write: false,
    logLevel: "silent",
    external: [...ALWAYS_EXTERNAL, ...Object.keys(installed(nodejs)), ...(custom.external ?? [])],
    loader: nodejs.loader ?? {},
    keepNames: custom.keepNames ?? true,
    sourcemap: custom.sourcemap === undefined ? "linked" : sourcemaps(custom.sourcemap),
    target: custom.target ?? "es2024",
    ...(custom.conditions?.length && { conditions: custom.conditions }),
    ...(custom.nodePaths && { nodePaths: custom.nodePaths }),
    ...(custom.define && { define: custom.define }),
    ...(nodejs.minify && { minify: true }),
    ...(commonJs
      ? { format: "cjs", mainFields: custom.mainFields ?? ["main"] }
      : { format: "esm", mainFields: custom.mainFields ?? ["module", "main"] }),
    banner: { js: commonJs ? (nodejs.banner ?? "") : [...moduleBanner, nodejs.banner].join("\n") },
    ...(nodejs.splitting
      ? {
          splitting: true,
          outdir: dirname(target),
          outExtension: { ".js": ".mjs" },
          entryNames: "bundle",
        }
      : { outfile: target }),
  };
}

/** Packages that SST installs beside the bundle because they have prebuilt binaries. */
export const ALWAYS_EXTERNAL = ["sharp", "pg-native"];

export function installed(nodejs: FunctionSource["nodejs"] = {}): Record<string, string> {
  const install: Record<string, string> | string[] = nodejs.install ?? {};
  return Array.isArray(install) ? Object.fromEntries(install.map((name) => [name, "*"])) : install;
}

/** Returns the settings of a program that SST does not pass on to esbuild: with them a laptop would differ from AWS. */
export function ignoredSettings(source: FunctionSource) {
  const custom = Object.keys((source.nodejs as Nodejs | undefined)?.esbuild ?? {});
  return custom.filter((name) => !PASSED_ON.has(name)).map((name) => `nodejs.esbuild.${name}`);
}

export function entryPoint({ handler, name }: FunctionSource, root: string) {
  const base = join(root, handler.slice(0, -extname(handler).length));
  const file = extensions.map((extension) => base + extension).find((path) => existsSync(path));
  if (!file)
    throw new Error(`${name}: no handler file ${handler} (looked for ${extensions.join(", ")})`);
  return file;
}

type Nodejs = NonNullable<FunctionSource["nodejs"]> & {
  format?: "cjs" | "esm";
  loader?: Record<string, Loader>;
  esbuild?: BuildOptions;
};

const extensions = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

const PASSED_ON = new Set([
  "target",
  "sourcemap",
  "keepNames",
  "define",
  "external",
  "nodePaths",
  "mainFields",
  "conditions",
]);

const moduleBanner = [
  "import { createRequire as topLevelCreateRequire } from 'module';",
  "const require = topLevelCreateRequire(import.meta.url);",
  'import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"',
  "const __filename = topLevelFileUrlToPath(import.meta.url)",
  'const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))',
];

const sourcemaps = (value: NonNullable<BuildOptions["sourcemap"]>) =>
  value === true ? "linked" : value;
