import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import type { Principals } from "../iam/principals.ts";
import { close, listen } from "../listen.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import { startEngine } from "./engine.ts";
import { createAuthorizingProxy } from "./authorizing-proxy.ts";
import { type Streams } from "./streams.ts";
import { type Table, ensureTables, engineStreamArn, tablesOf } from "./tables.ts";
import { startTableMaintenance } from "./table-maintenance.ts";

export type Dynamo = {
  /** The address to which functions and tools send requests; it checks permissions, unlike the engine's own. */
  url: string;
  /** Deletes expired items now, instead of at the next sweep. */
  sweep(): Promise<void>;
  close(): Promise<void>;
};

/** Starts the tables and streams of the graph, behind a server that checks each request against the policies of its role. */
export async function startDynamo({
  graph,
  db,
  folder,
  principals,
  clock,
  log,
  traces,
  port = 0,
  env = process.env,
}: {
  graph: ResourceGraph;
  db: DatabaseSync;
  folder: string;
  principals: Principals;
  clock: Clock;
  log: Log;
  traces?: TraceStore | undefined;
  port?: number;
  env?: NodeJS.ProcessEnv;
}): Promise<Dynamo> {
  const tables = tablesOf(graph);
  const engine = await startEngine({ folder, log, env });
  const closers = [() => engine.close()];
  const closeAll = async () => {
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    await ensureTables(engine, tables);
    const streams = await matchStreams(tables, (table) => engineStreamArn(engine, table));
    const maintenance = startTableMaintenance({ engine, tables, db, clock, log });
    closers.push(() => maintenance.close());
    const { hasExpired } = maintenance;
    const server = createAuthorizingProxy({
      graph,
      engine,
      tables,
      streams,
      hasExpired,
      principals,
      clock,
      log,
      traces,
    });
    closers.push(() => close(server));
    const bound = await listen(server, port, "DynamoDB");
    return {
      url: `http://127.0.0.1:${bound}`,
      sweep: () => maintenance.sweep(),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Matches the streams: their labels in the graph are invented, and in the engine the time of creation. */
async function matchStreams(
  tables: Table[],
  inEngine: (table: Table) => Promise<string>,
): Promise<Streams> {
  const toEngine = new Map<string, string>();
  for (const table of tables)
    if (table.stream) toEngine.set(table.stream.arn, await inEngine(table));
  const fromEngine = new Map([...toEngine].map(([ours, theirs]) => [theirs, ours]));
  return {
    toEngine: (arn) => toEngine.get(arn) ?? arn,
    fromEngine: (arn) => fromEngine.get(arn) ?? arn,
  };
}
