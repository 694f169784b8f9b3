import { createServer } from "node:http";
import { expect, test } from "vitest";

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
