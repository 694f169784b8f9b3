import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import { openBlobs } from "./blob-files.ts";
import * as Bucket from "./bucket.ts";
import type { S3 } from "./types.ts";
import * as Lifecycle from "./lifecycle.ts";
import * as Schema from "./schema.ts";
import { serve } from "./handle-request.ts";
import { openStore } from "./store.ts";
import { openUploads } from "./upload-store.ts";

export type S3Options = {
  graph: ResourceGraph;
  db: DatabaseSync;
  /** The folder of the objects' bytes; one process at a time uses it. */
  folder: string;
  principals: S3["principals"];
  clock: Clock;
  log: Log;
  /** Called within the transaction that changes the bucket: its writes to `db` and the change are one commit. */
  notify: S3["notify"];
  traces?: TraceStore | undefined;
};

export type S3Server = {
  /** Not yet listening. */
  server: Server;
  handle(req: IncomingMessage, res: ServerResponse): void;
  stop(): Promise<void>;
};

/** The S3 server of a graph, with its buckets and their policies. */
export function createS3({ folder, db, ...options }: S3Options): S3Server {
  Schema.create(db);
  const uploads = openUploads(db);
  const store = openStore(db, (names) => blobs.remove(names));
  const blobs = openBlobs(folder, store.isNamed);
  const buckets = Bucket.fromGraph(options.graph);
  const s3: S3 = { ...options, buckets, blobs, store, uploads };

  const stopping = new AbortController();
  const sweeping = Lifecycle.run(s3, stopping.signal).catch((error: unknown) =>
    s3.log.error(`s3: lifecycle: ${String(error)}`),
  );
  const handle = (req: IncomingMessage, res: ServerResponse, waits = false) =>
    void serve(s3, req, res, waits);
  // an upload of 5 GiB over a slow line may take hours, and clients keep connections for longer than Node's 5 s
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (req, res) =>
    handle(req, res),
  );
  server.on("checkContinue", (req, res) => handle(req, res, true));
  return {
    server,
    handle,
    async stop() {
      stopping.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, sweeping]);
    },
  };
}
