import { once } from "node:events";
import { existsSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { build } from "esbuild";
import { type Browser, type Page, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

// The upload with XMLHttpRequest, in a real browser, against an HTTP server that stands for the bucket.

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browserIsMissing = !existsSync(executablePath);
if (browserIsMissing)
  console.warn(`No browser at ${executablePath}: the tests of the client's upload are skipped`);

const BYTES = 4_000_000;

/** What happened in the page: the progress that was reported, and how the upload ended. */
type Outcome = {
  progress: [sent: number, all: number][];
  error?: { name: string; message: string; code?: string; status?: number; requestId?: string };
};

let script: string;
let browser: Browser;
let page: Page;
let bucket: (request: IncomingMessage, response: ServerResponse) => void;

const server = createServer((request, response) => {
  if (request.url === "/bucket") return bucket(request, response);
  response.setHeader("content-type", "text/html").end("<!doctype html><title>upload</title>");
});

const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  if (browserIsMissing) return;
  const built = await build({
    entryPoints: [join(import.meta.dirname, "send-to-bucket.ts")],
    bundle: true,
    format: "iife",
    globalName: "Upload",
    write: false,
  });
  script = built.outputFiles[0]!.text;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
});

afterAll(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});

beforeEach(async () => {
  if (browserIsMissing) return;
  page = await browser.newPage();
  await page.goto(origin());
  await page.addScriptTag({ content: script });
});

afterEach(() => page?.close());

/** Uploads `BYTES` bytes to the URL in the page; `abortAt` aborts once that many bytes have been reported. */
const upload = (url: string, abortAt?: number): Promise<Outcome> =>
  page.evaluate(
    `(async () => {
      const controller = new AbortController();
      const abortAt = ${abortAt ?? Infinity};
      const progress = [];
      const onProgress = (sent, all) => {
        progress.push([sent, all]);
        if (sent >= abortAt) controller.abort();
      };
      const file = new Blob([new Uint8Array(${BYTES})], { type: "image/jpeg" });
      const form = { url: ${JSON.stringify(url)}, fields: { key: "uploads/1" } };
      try {
        await Upload.postForm(form, file, { onProgress, signal: controller.signal });
        return { progress };
      } catch ({ name, message, code, status, requestId }) {
        return { progress, error: { name, message, code, status, requestId } };
      }
    })()`,
  );

test.skipIf(browserIsMissing)(
  "an upload reports its progress in bytes of the file, up to all of them",
  async () => {
    let received = 0;
    bucket = (request, response) => {
      request.on("data", (chunk: Buffer) => (received += chunk.length));
      request.on("end", () => response.writeHead(201).end("<PostResponse/>"));
    };
    const { progress, error } = await upload(`${origin()}/bucket`);
    expect(error).toBeUndefined();
    // the fields of the form and the boundaries are sent too, and are not counted
    expect(received).toBeGreaterThan(BYTES);
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.at(-1)).toEqual([BYTES, BYTES]);
    const sent = progress.map(([bytes]) => bytes);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
  },
);

test.skipIf(browserIsMissing)(
  "an aborted upload rejects with the reason of its signal and closes the connection",
  async () => {
    const closed = Promise.withResolvers<void>();
    bucket = (request) => {
      request.on("close", () => closed.resolve());
      request.resume();
    };
    const { error } = await upload(`${origin()}/bucket`, 1);
    expect(error?.name).toBe("AbortError");
    await closed.promise;
  },
);

test.skipIf(browserIsMissing)("an upload that cannot reach the bucket rejects", async () => {
  bucket = (request) => request.socket.destroy();
  const { error } = await upload(`${origin()}/bucket`);
  expect(error).toMatchObject({ name: "TypeError", message: expect.stringContaining(origin()) });
});

test.skipIf(browserIsMissing)(
  "an upload that the bucket rejects has the bucket's code, status and request id",
  async () => {
    const xml =
      "<Error><Code>EntityTooLarge</Code><Message>Too large</Message><RequestId>r3</RequestId></Error>";
    bucket = (request, response) => {
      request.on("end", () => response.writeHead(400).end(xml)).resume();
    };
    expect((await upload(`${origin()}/bucket`)).error).toEqual({
      name: "ProblemError",
      message: "Too large",
      code: "storage.EntityTooLarge",
      status: 400,
      requestId: "r3",
    });
  },
);
