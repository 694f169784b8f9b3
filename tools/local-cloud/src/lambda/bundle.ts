import type { BuildContext, BuildFailure, Metafile } from "esbuild";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";

import type { FunctionSource } from "../graph/resource-graph.ts";
import { ALWAYS_EXTERNAL, entryPoint, esbuildOptions, installed } from "./esbuild-options.ts";

export type Bundle = {
  /** Lambda's task root: the bundle and the node_modules of what is not bundled. */
  folder: string;
  /** `bundle.exportedName`, as Lambda's _HANDLER. */
  handler: string;
  /** Absolute paths of the files that the bundle depends on. */
  inputs: Set<string>;
  /** Of the bundle's bytes. */
  hash: string;
};

export type Bundler = {
  /** Builds, or takes the files of an earlier run when no input has changed since. Rejects with a `BuildError`. */
  build(): Promise<Bundle>;
  /** Builds again, incrementally. The old files stay when it fails. */
  rebuild(): Promise<Bundle>;
  dispose(): Promise<void>;
};

/** A bundle that cannot be built; the message has the file, line, column and text of each error. */
export class BuildError extends Error {}

export function createBundler(source: FunctionSource, root: string, functions: string): Bundler {
  const folder = join(functions, source.name);
  const manifest = join(folder, "bundle.json");
  const handler = `bundle${extname(source.handler)}`;
  let context: Promise<BuildContext> | undefined;
  let built = false;

  async function rebuild(): Promise<Bundle> {
    const options = esbuildOptions(source, root, folder);
    context ??= import("esbuild").then((esbuild) => esbuild.context(options));
    const result = await context.then((it) => it.rebuild()).catch((error) => fail(source, error));
    const outputs = (result.outputFiles ?? []).map(({ path, contents }) => ({ path, contents }));
    const metafile = result.metafile!;
    mkdirSync(folder, { recursive: true });
    rmSync(manifest, { force: true });
    // shared chunks before the entry that imports them, so that a process that starts now finds a complete bundle
    for (const { path, contents } of outputs.toSorted(entryLast)) replace(path, contents);
    if (!built) prune(folder, new Set(outputs.map(({ path }) => basename(path))));
    built = true;
    const links = linkPackages(source, root, folder, metafile);
    const inputs = inputsOf(metafile, root);
    const hash = hashOf(result.outputFiles!.map((output) => output.hash).join());
    replace(
      manifest,
      JSON.stringify({ key: keyOf(options), hash, links, files: fingerprint(inputs) }),
    );
    return { folder, handler, inputs, hash };
  }

  return {
    async build() {
      const options = esbuildOptions(source, root, folder);
      const kept = unchanged(manifest, folder, keyOf(options));
      return kept ? { folder, handler, ...kept } : rebuild();
    },
    rebuild,
    async dispose() {
      await (await context)?.dispose();
    },
  };
}

function fail({ name }: FunctionSource, error: unknown): never {
  const errors = (error as BuildFailure).errors;
  if (!errors) throw error;
  const lines = errors.map(({ text, location }) =>
    location ? `${location.file}:${location.line}:${location.column}: ${text}` : text,
  );
  throw new BuildError(`${name} does not build\n  ${lines.join("\n  ")}`, { cause: error });
}

type Manifest = { key: string; hash: string; links: string[]; files: Record<string, Print> };
type Print = { size: number; mtimeMs: number; hash: string };

/** Returns the bundle on disk if its options, its source files and its links have not changed. */
function unchanged(file: string, folder: string, key: string) {
  if (!existsSync(file) || !readdirSync(folder).some((name) => /^bundle\.[cm]js$/.test(name)))
    return;
  const manifest: Manifest = JSON.parse(readFileSync(file, "utf8"));
  if (manifest.key !== key || !manifest.links.every((link) => existsSync(link))) return;
  for (const [path, print] of Object.entries(manifest.files)) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat || stat.size !== print.size) return;
    if (stat.mtimeMs !== print.mtimeMs && hashOf(readFileSync(path)) !== print.hash) return;
  }
  return { inputs: new Set(Object.keys(manifest.files)), hash: manifest.hash };
}

function fingerprint(inputs: Set<string>): Manifest["files"] {
  const print = (path: string): Print => {
    const { size, mtimeMs } = statSync(path);
    return { size, mtimeMs, hash: hashOf(readFileSync(path)) };
  };
  return Object.fromEntries([...inputs].filter(existsSync).map((path) => [path, print(path)]));
}

/** Returns the files that esbuild read, and those that change how it reads: package.json and tsconfig.json above the sources, and the lock file. */
function inputsOf(metafile: Metafile, root: string) {
  const inputs = new Set<string>();
  for (const input of Object.keys(metafile.inputs)) {
    const path = resolve(root, input);
    if (!existsSync(path)) continue;
    inputs.add(path);
    if (isInstalled(path)) continue;
    for (const name of ["package.json", "tsconfig.json"]) {
      const above = findAbove(dirname(path), name);
      if (above) inputs.add(above);
    }
  }
  const lock = join(root, "pnpm-lock.yaml");
  if (existsSync(lock)) inputs.add(lock);
  return inputs;
}

export const isInstalled = (path: string) => /[\\/]node_modules[\\/]/.test(path);

/** Links the packages that SST would install beside the bundle, from where the handler's package has them. */
function linkPackages(source: FunctionSource, root: string, folder: string, metafile: Metafile) {
  const handlerFolder = dirname(entryPoint(source, root));
  const importers = new Map(
    Object.keys(installed(source.nodejs)).map((name) => [name, handlerFolder]),
  );
  for (const [input, { imports }] of Object.entries(metafile.inputs))
    for (const { path, external } of imports)
      if (external && ALWAYS_EXTERNAL.includes(path))
        importers.set(path, dirname(resolve(root, input)));
  const links = new Map<string, string>();
  for (const [name, importer] of importers) {
    const installedAt =
      findAbove(handlerFolder, join("node_modules", name)) ??
      findAbove(importer, join("node_modules", name));
    // pg imports pg-native only if it is there
    if (installedAt) addWithDependencies(name, realpathSync(installedAt), links);
  }
  for (const [name, target] of links) {
    const link = join(folder, "node_modules", name);
    rmSync(link, { force: true, recursive: true });
    mkdirSync(dirname(link), { recursive: true });
    // on Windows every user may make a "junction"; other systems ignore the word
    symlinkSync(target, link, "junction");
  }
  return [...links.keys()].map((name) => join(folder, "node_modules", name));
}

/** npm, which SST installs with, puts the dependencies of a package beside it, so the bundle can import them too. */
function addWithDependencies(name: string, folder: string, links: Map<string, string>) {
  if (links.has(name)) return;
  links.set(name, folder);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
    // those of other operating systems are not installed
    const at = findAbove(folder, join("node_modules", dependency));
    if (at) addWithDependencies(dependency, realpathSync(at), links);
  }
}

function findAbove(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  return dirname(folder) === folder ? undefined : findAbove(dirname(folder), name);
}

function replace(path: string, contents: string | Uint8Array) {
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}

function prune(folder: string, keep: Set<string>) {
  for (const name of readdirSync(folder))
    if (/\.[cm]js(\.map)?$/.test(name) && !keep.has(name)) rmSync(join(folder, name));
}

const entryLast = (a: { path: string }, b: { path: string }) => rank(a.path) - rank(b.path);
const rank = (path: string) => (/^bundle\.[cm]js$/.test(basename(path)) ? 1 : 0);

const keyOf = (options: object) => hashOf(JSON.stringify(options));
const hashOf = (data: string | Uint8Array) => createHash("sha256").update(data).digest("base64url");
