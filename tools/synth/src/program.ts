import { readFileSync } from "node:fs";
import { join } from "node:path";

import { build, type BuildOptions, type Plugin } from "esbuild";

import * as Platform from "./platform.ts";

/** The app as `app()` in `sst.config.ts` describes it, with SST's defaults. */
export type App = {
  name: string;
  stage: string;
  home: string;
  removal: string;
  protect: boolean;
  providers: Record<string, unknown>;
};

export type Bundle = {
  /** The folder of `sst.config.ts`; handler paths are relative to it. */
  root: string;
  /** The folder with `.sst/platform`, shared by all programs of the repository. */
  repository: string;
  /** A temporary folder for bundles and SST's artifacts. */
  work: string;
  stage: string;
  dev: boolean;
};

/**
 * The result of `app()` in `sst.config.ts`. Does what the SST command does before it starts Pulumi, with esbuild from npm
 * instead of the one in its binary: pkg/project/project.go, run.go and pkg/js/js.go of github.com/sst/sst at v4.17.
 *
 * @throws Error if the file does not compile or `app()` throws
 */
export async function loadApp({ root, repository, work, stage }: Bundle): Promise<App> {
  const outfile = join(work, "app.mjs");
  await build({
    ...common(repository),
    stdin: {
      contents: `import config from "${root}/sst.config.ts"; export default await config.app({ stage: $input.stage });`,
      resolveDir: root,
      loader: "ts",
    },
    banner: { js: `${requireBanner}\nfunction $config(input) { return input }` },
    define: { $input: JSON.stringify({ stage }) },
    outfile,
  });
  const { default: input } = await import(outfile);
  return { removal: "retain", protect: false, ...input, stage };
}

/**
 * The path of a bundled module whose default export runs the program. Every global in it is SST's own.
 *
 * @throws Error if the program does not compile
 */
export async function bundleProgram(bundle: Bundle, app: App): Promise<string> {
  const { root, repository, work, dev } = bundle;
  const platform = join(repository, ".sst/platform");
  const cli = {
    command: dev ? "dev" : "deploy",
    dev,
    paths: { home: work, root, work, platform },
    state: { version: {} },
  };
  const outfile = join(work, "run.mjs");
  await build({
    ...common(repository),
    stdin: {
      contents: [
        `import { run } from "${platform}/src/auto/run.ts";`,
        `import config from "${root}/sst.config.ts";`,
        `export default () => run(config.run);`,
      ].join("\n"),
      resolveDir: root,
      loader: "ts",
    },
    banner: { js: requireBanner },
    define: {
      $app: JSON.stringify(app),
      $cli: JSON.stringify(cli),
      $dev: String(dev),
    },
    inject: [join(platform, "src/shim/run.js")],
    plugins: [globals(repository)],
    outfile,
  });
  return outfile;
}

/** `aws`, `sst` and the other providers are globals in infra: this adds their imports to each file outside the platform. */
function globals(repository: string): Plugin {
  const head = [
    ...Platform.providers(repository).map(
      (entry) => `import * as ${entry.alias} from "${entry.package}";`,
    ),
    `import * as sst from "${repository}/.sst/platform/src/components";`,
  ].join("");
  return {
    name: "globals",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path.includes("/.sst/")) return undefined;
        return { contents: `${head}\n${readFileSync(path, "utf8")}`, loader: "ts" };
      });
    },
  };
}

const common = (repository: string): BuildOptions => ({
  bundle: true,
  write: true,
  format: "esm",
  platform: "node",
  target: "esnext",
  mainFields: ["module", "main"],
  nodePaths: [join(repository, ".sst/platform/node_modules")],
  external: [
    "@pulumi/*",
    "@pulumiverse/*",
    "@sst-provider/*",
    "@aws-sdk/*",
    "archiver",
    "esbuild",
    "glob",
    "undici",
    "vite",
  ],
  logLevel: "silent",
});

const requireBanner = [
  `import { createRequire as topLevelCreateRequire } from "module";`,
  `import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url";`,
  `const require = topLevelCreateRequire(import.meta.url);`,
  `const __filename = topLevelFileUrlToPath(import.meta.url);`,
  `const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url));`,
].join("\n");
