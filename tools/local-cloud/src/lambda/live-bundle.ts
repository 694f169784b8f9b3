import type { Log } from "../log.ts";
import type { FunctionSource } from "../graph/resource-graph.ts";
import { type Bundle, BuildError, createBundler } from "./bundle.ts";

export type LiveBundle = {
  /** The newest that was built; rejects when none ever was. */
  get(): Promise<Bundle>;
  /** The newest that was built. */
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
  /** Called with every bundle that is on disk; `isNew` when its bytes differ from those before. */
  onBuilt: (bundle: Bundle, isNew: boolean) => void;
};

/** A function's bundle over the time that its sources are edited. A build that fails is said once and leaves the old code running. */
export function createLiveBundle({ source, root, folder, log, onBuilt }: Options): LiveBundle {
  const bundler = createBundler(source, root, folder);
  let complaint: string | undefined;
  let first: Promise<Bundle>;
  let last: Promise<unknown>;

  const self: LiveBundle = {
    built: undefined,
    get: async () => self.built ?? first,
    async changed(paths) {
      const isInput = [...paths].some((path) => self.built?.inputs.has(path));
      if (!isInput && complaint === undefined) return;
      const since = performance.now();
      last = last.then(() => keep(bundler.rebuild(), since)).catch(() => {});
      await last;
    },
    stop: () => bundler.dispose(),
  };
  last = first = keep(bundler.build(), performance.now());
  last.catch(() => {});
  return self;

  async function keep(building: Promise<Bundle>, since: number): Promise<Bundle> {
    const bundle = await building.catch(complain);
    const isNew = self.built !== undefined && self.built.hash !== bundle.hash;
    const wasBroken = complaint !== undefined;
    complaint = undefined;
    self.built = bundle;
    onBuilt(bundle, isNew);
    const ms = Math.round(performance.now() - since);
    if (isNew || wasBroken) log.info(`${source.name}: reloaded in ${ms} ms`);
    return bundle;
  }

  function complain(error: unknown): never {
    const message =
      error instanceof BuildError ? error.message : `${source.name}: ${String(error)}`;
    if (message !== complaint)
      log.error(self.built ? `${message}\n  the code from before keeps running` : message);
    complaint = message;
    throw error;
  }
}
