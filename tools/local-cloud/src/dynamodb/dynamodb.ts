import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import type { Principals } from "../iam/principals.ts";
import { close, listen } from "../listen.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import { startEngine } from "./engine.ts";
import { createDynamoGuard } from "./guard.ts";
import { type Streams } from "./streams.ts";
import { type Table, ensureTables, streamArn, tablesOf } from "./tables.ts";
import { startUpkeep } from "./ttl.ts";

export type Dynamo = {
  /** Where functions and tools send their requests: the guard, never the engine. */
  url: string;
  /** Removes what has expired now, instead of at the next sweep. */
  sweep(): Promise<void>;
  close(): Promise<void>;
};

/** The tables and streams of the graph, behind a guard that holds every request against its role. */
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
    const streams = await matchStreams(tables, (table) => streamArn(engine, table));
    const upkeep = startUpkeep({ engine, tables, db, clock, log });
    closers.push(() => upkeep.close());
    const { hasExpired } = upkeep;
    const server = createDynamoGuard({
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
      sweep: () => upkeep.sweep(),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The graph's streams have made-up labels, the engine's the second in which it made them. */
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
