import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type Cloud,
  type ResourceGraph,
  loadGraph,
  silentLog,
  startCloud,
} from "@balde/local-cloud";

export const root = join(import.meta.dirname, "../..");

export type BenchCloud = Cloud & {
  local: Cloud["local"] & { api: string };
  graph: ResourceGraph;
  data: string;
};

/** Runs Balde's graph, after `change`, on free ports and in a temporary folder until `use` has finished. */
export async function withCloud<Result>(
  use: (cloud: BenchCloud) => Promise<Result>,
  change: (graph: ResourceGraph) => void = () => {},
): Promise<Result> {
  const data = await mkdtemp(join(tmpdir(), "balde-bench-"));
  const graph = loadGraph(join(root, "infra/stack.json"));
  change(graph);
  const cloud = await startCloud({ graph, root, data, port: 0, log: silentLog });
  try {
    const local = { ...cloud.local, api: cloud.local.api! };
    return await use({ ...cloud, local, graph, data });
  } finally {
    await cloud.stop();
    await rm(data, { recursive: true, force: true });
  }
}
