import { join } from "node:path";

import { type Target, WIDTH, startProgram } from "./target.ts";
import type { Original } from "./corpus.ts";
import { usageOf } from "./process-tree.ts";

/** Starts sharp in a loop, with the files that `fileOf` returns. */
export async function startRawSharp(
  name: string,
  fileOf: (original: Original) => string,
): Promise<Target> {
  const { child, stop } = await startProgram(join(import.meta.dirname, "raw-sharp.program.ts"), []);
  const waiting = new Map<number, () => void>();
  child.on("message", (id: number) => {
    waiting.get(id)?.();
    waiting.delete(id);
  });
  let jobs = 0;
  return {
    name,
    formats: ["webp", "avif", "jpeg"],
    renderNew(original, format) {
      const id = jobs++;
      return new Promise((resolve) => {
        waiting.set(id, () => resolve(undefined));
        child.send({ id, file: fileOf(original), width: WIDTH, format });
      });
    },
    usage: () => usageOf(child.pid!),
    stop,
  };
}
