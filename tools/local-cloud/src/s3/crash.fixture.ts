// A process of its own that can be killed: serves the bucket "pictures" in the folder of its argument and keeps each event in the same database.
import type { AddressInfo } from "node:net";

import { createClock } from "../clock.ts";
import { createPrincipals } from "../iam/principals.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { silentLog } from "../log.ts";
import { bucket, openState, smallGraph } from "./s3.fixture.ts";
import { createS3 } from "./server.ts";

const folder = process.argv[2]!;
const db = openState(folder);
db.exec("CREATE TABLE IF NOT EXISTS test_event (key TEXT NOT NULL, etag TEXT NOT NULL)");
const insert = db.prepare("INSERT INTO test_event VALUES (?, ?)");
const graph = parseGraph(smallGraph(bucket("pictures")));
const principals = createPrincipals({ graph, db });
const { server } = createS3({
  graph,
  db,
  folder,
  principals,
  clock: createClock(),
  log: silentLog,
  notify: (_, { s3: { object } }) =>
    void insert.run(decodeURIComponent(object.key), object.eTag ?? ""),
});
server.listen(0, "127.0.0.1", () => {
  const { accessKeyId, secretAccessKey } = principals.operator;
  const { port } = server.address() as AddressInfo;
  process.stdout.write(
    `${JSON.stringify({ endpoint: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey })}\n`,
  );
});
