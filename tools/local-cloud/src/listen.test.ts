import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { startCloud } from "./cloud.ts";
import { loadGraph } from "./graph/resource-graph.ts";
import { close, listen } from "./listen.ts";
import { StartError } from "./start-error.ts";

test("a port that is in use is refused, with its number and its service", async () => {
  const first = createServer();
  const port = await listen(first, 0, "S3");
  const second = listen(createServer(), port, "SQS");
  await expect(second).rejects.toThrow(StartError);
  await expect(second).rejects.toThrow(`Port ${port} (SQS) is in use by another program`);
  await close(first);
  const third = createServer();
  expect(await listen(third, port, "SQS")).toBe(port);
  await close(third);
});

test("a start that is refused for its port leaves no new folder, and keeps one that existed", async () => {
  const root = join(import.meta.dirname, "../../..");
  const folder = mkdtempSync(join(tmpdir(), "balde-listen-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const graph = loadGraph(join(root, "infra/stack.json"));
  const other = createServer();
  const port = await listen(other, 0, "S3");
  const start = (data: string) =>
    startCloud({
      graph: { ...graph, functions: {} },
      root,
      data: join(folder, data),
      port: port - 6,
    });
  await expect(start("new/data")).rejects.toThrow(`Port ${port} (STS) is in use`);
  expect(readdirSync(folder)).toEqual([]);
  mkdirSync(join(folder, "old"));
  await expect(start("old")).rejects.toThrow(`Port ${port} (STS) is in use`);
  expect(readdirSync(folder)).toEqual(["old"]);
  await close(other);
});
