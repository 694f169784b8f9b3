import { join } from "node:path";

import { type Contender, EDGE, program } from "./target.ts";
import type { Original } from "./corpus.ts";
import { usage } from "./process-tree.ts";

/** sharp in a loop, from the files that `fileOf` gives. */
export async function startRawSharp(
  name: string,
  fileOf: (original: Original) => string,
): Promise<Contender> {
  const { child, stop } = await program(join(import.meta.dirname, "raw-sharp.program.ts"), []);
  const waiting = new Map<number, () => void>();
  child.on("message", (id: number) => {
    waiting.get(id)?.();
    waiting.delete(id);
  });
  let orders = 0;
  return {
    name,
    makes: ["webp", "avif", "jpeg"],
    make(original, format) {
      const id = orders++;
      return new Promise((resolve) => {
        waiting.set(id, () => resolve(undefined));
        child.send({ id, file: fileOf(original), edge: EDGE, format });
      });
    },
    usage: () => usage(child.pid!),
    stop,
  };
}
