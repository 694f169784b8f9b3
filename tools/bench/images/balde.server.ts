import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadGraph, silentLog, startCloud } from "@balde/local-cloud";

// The local cloud in a process of its own, so that its processor time does not include the load generator.

const root = join(import.meta.dirname, "../../..");
const data = mkdtempSync(join(tmpdir(), "balde-bench-"));
const cloud = await startCloud({
  graph: loadGraph(join(root, "infra/stack.json")),
  root,
  data,
  port: 0,
  log: silentLog,
});
const user = { name: "bench", password: "Bench-mark-1", email: "bench@example.com" };
cloud.createUser(user);
process.send?.({ local: cloud.local, user });

const stop = async () => {
  await cloud.stop();
  rmSync(data, { recursive: true, force: true });
  process.exit(0);
};
process.once("SIGTERM", () => void stop());
process.once("disconnect", () => void stop());
