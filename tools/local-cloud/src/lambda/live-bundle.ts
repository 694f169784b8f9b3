import type { Log } from "../log.ts";
import type { FunctionSource } from "../graph/resource-graph.ts";
import { type Bundle, BuildError, createBundler } from "./bundle.ts";

export type LiveBundle = {
  /** Returns the newest bundle; rejects when no build has succeeded. */
  get(): Promise<Bundle>;
  /** The newest bundle. */
  built: Bundle | undefined;
  /** Builds again if one of these files is in the bundle, or if the last build failed. */
  changed(paths: ReadonlySet<string>): Promise<void>;
  stop(): Promise<void>;
};

type Options = {
  source: FunctionSource;
  root: string;
  /** The parent of every function's folder. */
  folder: string;
  log: Log;
  /** Called with every bundle that is on disk; `isNew` when its bytes differ from the previous ones. */
  onBuilt: (bundle: Bundle, isNew: boolean) => void;
};

/** Keeps a function's bundle current while its source files change. A failed build is logged once, and the old code keeps running. */
export function createLiveBundle({ source, root, folder, log, onBuilt }: Options): LiveBundle {
  const bundler = createBundler(source, root, folder);
  let lastError: string | undefined;
  let first: Promise<Bundle>;
  let last: Promise<unknown>;

  const self: LiveBundle = {
    built: undefined,
    get: async () => self.built ?? first,
    async changed(paths) {
      const isInput = [...paths].some((path) => self.built?.inputs.has(path));
      if (!isInput && lastError === undefined) return;
      const since = performance.now();
      last = last.then(() => finishBuild(bundler.rebuild(), since)).catch(() => {});
      await last;
    },
    stop: () => bundler.dispose(),
  };
  last = first = finishBuild(bundler.build(), performance.now());
  last.catch(() => {});
  return self;

  async function finishBuild(building: Promise<Bundle>, since: number): Promise<Bundle> {
    const bundle = await building.catch(reportError);
    const isNew = self.built !== undefined && self.built.hash !== bundle.hash;
    const wasBroken = lastError !== undefined;
    lastError = undefined;
    self.built = bundle;
    onBuilt(bundle, isNew);
    const ms = Math.round(performance.now() - since);
    if (isNew || wasBroken) log.info(`${source.name}: reloaded in ${ms} ms`);
    return bundle;
  }

  function reportError(error: unknown): never {
    const message =
      error instanceof BuildError ? error.message : `${source.name}: ${String(error)}`;
    if (message !== lastError)
      log.error(self.built ? `${message}\n  the previous code keeps running` : message);
    lastError = message;
    throw error;
  }
}
