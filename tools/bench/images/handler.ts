import { join } from "node:path";

import { createBundler } from "../../local-cloud/src/lambda/bundle.ts";
import { loadGraph, resourcesOf } from "../../local-cloud/src/graph/resource-graph.ts";
import { root } from "../cloud.ts";
import { linkVariables } from "../fresh-process.ts";
import { gatewayEvent } from "../gateway-event.ts";
import type { Balde } from "./balde.ts";
import { type Target, startProgram } from "./target.ts";
import { usageOf } from "./process-tree.ts";

type Sent = { type: "sent"; id: number; status: number; firstByteMs?: number };
type Stored = { type: "stored"; id: number };

/** Starts `Deliver` alone in one process with Balde's table and bucket: the difference to Balde is the time of gateway and Lambda. */
export async function startHandler(balde: Balde, folder: string): Promise<Target> {
  const handler = await startDeliver(balde.environment, folder);
  return {
    name: "Balde, handler",
    formats: balde.formats,
    async renderNew(original, format) {
      const address = new URL(balde.fresh(original, format));
      const [id = "", rev = ""] = address.pathname.split("/").slice(-2);
      await handler.invoke(gatewayEvent(address, { id, rev }));
      return undefined;
    },
    usage: () => usageOf(handler.pid),
    stop: handler.stop,
  };
}

/** Starts the bundle of `Deliver` in a process of its own; `environment` has the endpoints and credentials. */
export async function startDeliver(environment: Record<string, string>, folder: string) {
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
  const env = { ...variables, ...linkVariables(deliver.links), ...environment };
  const { child, stop } = await startProgram(
    join(import.meta.dirname, "handler.program.ts"),
    [bundle],
    env,
  );

  const waiting = new Map<number, { sent: (sent: Sent) => void; stored: () => void }>();
  child.on("message", (message: Sent | Stored) => {
    const { sent, stored } = waiting.get(message.id)!;
    if (message.type === "sent") return sent(message);
    waiting.delete(message.id);
    stored();
  });
  let requests = 0;
  return {
    pid: child.pid!,
    stop,
    /** Resolves when the response is sent; `stored` when the function has returned. Rejects if the response has no image. */
    async invoke(event: object): Promise<{ firstByteMs: number; stored: Promise<void> }> {
      const id = requests++;
      const sent = Promise.withResolvers<Sent>();
      const stored = Promise.withResolvers<void>();
      waiting.set(id, { sent: sent.resolve, stored: stored.resolve });
      child.send({ id, event });
      const { status, firstByteMs = 0 } = await sent.promise;
      if (status !== 200) throw new Error(`the handler answered ${status}`);
      return { firstByteMs, stored: stored.promise };
    },
  };
}
