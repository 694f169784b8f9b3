import { watch } from "node:fs";
import { dirname, join } from "node:path";

import { isInstalled } from "./bundle.ts";

/** An editor writes a file in several steps, and a checkout writes many files: changes within this time cause one rebuild. */
const DEBOUNCE_MS = 25;

/**
 * Calls `onChanged` with the files that were written. It watches the folders of source files one by one: a recursive watch
 * over the checkout would walk node_modules, and a watch on a file is lost when an editor replaces it.
 */
export function watchSources(onChanged: (paths: Set<string>) => void) {
  const watchers = new Map<string, { close(): void }>();
  let pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  function flush() {
    const paths = pending;
    pending = new Set();
    onChanged(paths);
  }

  return {
    /** Watches the folders of these files too. */
    add(inputs: Iterable<string>) {
      for (const input of inputs) {
        const folder = dirname(input);
        if (isInstalled(input) || watchers.has(folder)) continue;
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          if (!name) return;
          pending.add(join(folder, name));
          clearTimeout(timer);
          timer = setTimeout(flush, DEBOUNCE_MS);
        });
        // the folder was removed; the failing build reports it
        watcher.on("error", () => watcher.close());
        watchers.set(folder, watcher);
      }
    },
    stop() {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}
