import { join } from "node:path";

import { createBundler } from "../../local-cloud/src/lambda/bundle.ts";
import { loadGraph, resourcesOf } from "../../local-cloud/src/graph/resource-graph.ts";
import { root } from "../cloud.ts";
import { linkVariables } from "../fresh-process.ts";
import { gatewayEvent } from "../gateway-event.ts";
import type { Balde } from "./balde.ts";
import { type Target, startProgram } from "./target.ts";
import { usageOf } from "./process-tree.ts";

type Done = { id: number; bytes: number; status: number };

/** Starts `Deliver` alone in one process with Balde's table and bucket: the difference to Balde is the time of gateway and Lambda. */
export async function startHandler(balde: Balde, folder: string): Promise<Target> {
  const graph = loadGraph(join(root, "infra/stack.json"));
  const deliver = Object.values(graph.functions).find(({ name }) => name === "Deliver")!;
  const bundler = createBundler(deliver, root, folder);
  const built = await bundler.build();
  await bundler.dispose();
  const bundle = `${join(built.folder, "bundle.mjs")}#${built.handler.split(".").at(-1)}`;
  const { inputs } = resourcesOf(graph, "aws:lambda/function:Function").find(
    ({ name }) => name === "DeliverFunction",
  )!;
  const variables = inputs.environment?.variables;
  const env = { ...variables, ...linkVariables(deliver.links), ...balde.environment };
  const { child, stop } = await startProgram(
    join(import.meta.dirname, "handler.program.ts"),
    [bundle],
    env,
  );

  const waiting = new Map<number, (done: Done) => void>();
  child.on("message", (done: Done) => {
    waiting.get(done.id)?.(done);
    waiting.delete(done.id);
  });
  let requests = 0;
  return {
    name: "Balde, handler",
    formats: balde.formats,
    async renderNew(original, format) {
      const number = requests++;
      const address = new URL(balde.fresh(original, format));
      const [id = "", rev = ""] = address.pathname.split("/").slice(-2);
      const event = gatewayEvent(address, { id, rev });
      const { promise, resolve } = Promise.withResolvers<Done>();
      waiting.set(number, resolve);
      child.send({ id: number, event });
      const { status } = await promise;
      if (status !== 200) throw new Error(`the handler answered ${status}`);
      return undefined;
    },
    usage: () => usageOf(child.pid!),
    stop,
  };
}
