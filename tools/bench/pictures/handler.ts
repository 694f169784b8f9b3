import { join } from "node:path";

import { createBundler } from "../../local-cloud/src/lambda/bundle.ts";
import { loadGraph, resourcesOf } from "../../local-cloud/src/graph/resource-graph.ts";
import { root } from "../cloud.ts";
import { linked } from "../fresh-process.ts";
import { proxied } from "../gateway-event.ts";
import type { Balde } from "./balde.ts";
import { type Contender, program } from "./target.ts";
import { usage } from "./process-tree.ts";

type Done = { id: number; bytes: number; status: number };

/** `Deliver` alone in one process, with Balde's table and bucket: what the gateway and the laptop's Lambda add is the difference to Balde. */
export async function startHandler(balde: Balde, folder: string): Promise<Contender> {
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
  const env = { ...variables, ...linked(deliver.links), ...balde.environment };
  const { child, stop } = await program(
    join(import.meta.dirname, "handler.program.ts"),
    [bundle],
    env,
  );

  const waiting = new Map<number, (done: Done) => void>();
  child.on("message", (done: Done) => {
    waiting.get(done.id)?.(done);
    waiting.delete(done.id);
  });
  let orders = 0;
  return {
    name: "Balde, handler",
    makes: balde.makes,
    async make(original, format) {
      const order = orders++;
      const address = new URL(balde.fresh(original, format));
      const [id = "", rev = ""] = address.pathname.split("/").slice(-2);
      const event = proxied(address, { id, rev });
      const { promise, resolve } = Promise.withResolvers<Done>();
      waiting.set(order, resolve);
      child.send({ id: order, event });
      const { status } = await promise;
      if (status !== 200) throw new Error(`the handler answered ${status}`);
      return undefined;
    },
    usage: () => usage(child.pid!),
    stop,
  };
}
