import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

import { startLoopbackServer } from "./loopback-server.ts";

/** Requests a URL in a process of a benchmark: what it prints, which is the status or the error. */
function request(url: string) {
  const program = `
    import { get } from ${JSON.stringify(url.startsWith("https") ? "node:https" : "node:http")};
    get(${JSON.stringify(url)}, ({ statusCode }) => { console.log(statusCode); process.exit(); })
      .on("error", ({ message }) => console.log(message));`;
  const guard = join(import.meta.dirname, "loopback-only.mjs");
  const args = ["--import", guard, "--input-type=module", "--eval", program];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

// .invalid has no address anywhere (RFC 2606), and 192.0.2.1 belongs to no machine (RFC 5737)
test.each(["http://aws.invalid", "https://aws.invalid", "http://192.0.2.1"])(
  "a benchmark does not connect to %s",
  async (url) => expect(await request(url)).toContain("only this machine may be reached"),
);

test("a benchmark connects to this machine", async () => {
  const server = await startLoopbackServer((_, response) => void response.end());
  expect(await request(server.url)).toBe("200\n");
  await server.close();
});
