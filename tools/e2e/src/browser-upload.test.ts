import { existsSync } from "node:fs";
import { createServer } from "node:http";

import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { build } from "esbuild";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { type User, signIn } from "./api-calls.ts";
import type { Tools } from "./browser-upload.page.ts";
import { sampleImage, sampleJpeg } from "./sample-image.ts";
import { type Stage, openStage } from "./stage.ts";

// Uploads of large files in a real browser, with our client and with Uppy.

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browserIsMissing = !existsSync(executablePath);
if (browserIsMissing) console.warn(`no browser at ${executablePath}: uploads in it are skipped`);

// an origin that infra/settings.ts allows, and that no other test uses
const origin = "http://localhost:3000";

vi.setConfig({ testTimeout: 60_000 });

// what runs in a page
declare const tools: Tools;

describe.skipIf(browserIsMissing)("in Chromium", () => {
  let stage: Stage;
  let ann: User;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let script: string;
  /** Two parts. */
  let large: Buffer;
  const files = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const file = files.get(decodeURIComponent(request.url!));
    response.setHeader("content-type", "text/html");
    response.end(file ?? "<!doctype html><title>gallery</title>");
  });

  beforeAll(async () => {
    stage = await openStage();
    ann = await signIn(stage.local, 0);
    server.listen(3000, "127.0.0.1");
    large = await sampleImage(2000, 1700).png({ compressionLevel: 0 }).toBuffer();
    files.set("/large.png", large);
    files.set("/férias na praia (2).jpg", await sampleJpeg(640, 480, 5));
    files.set("/false.jpg", Buffer.from("this is a text and no picture"));
    const entryPoints = [new URL("browser-upload.page.ts", import.meta.url).pathname];
    const built = await build({ entryPoints, bundle: true, format: "iife", write: false });
    script = built.outputFiles[0]!.text;
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath, args });
  });
  afterAll(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
    await stage?.stop();
  });

  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    await loadPage();
  });
  afterEach(() => context.close());

  async function loadPage() {
    await page.goto(origin);
    await page.addScriptTag({ content: script });
    const { api } = stage.local;
    await page.evaluate((input) => tools.connect(input), { api, idToken: ann.idToken });
  }
  const stateOf = (id: string) => ann.send("GET", `/v1/uploads/${id}`);
  async function openKeys() {
    const { iam, region, s3 } = stage.local;
    // of a deployed stage nothing is listed
    if (!iam || !s3) return [];
    const options = { region, credentials: iam, endpoint: s3.endpoint, forcePathStyle: true };
    const { Uploads = [] } = await new S3Client(options).send(
      new ListMultipartUploadsCommand({ Bucket: s3.bucket }),
    );
    return Uploads.map(({ Key }) => Key);
  }
  /** The requests to the bucket, as method and part. */
  function watchBucket() {
    const seen: string[] = [];
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.searchParams.has("X-Amz-Signature"))
        seen.push(`${request.method()} ${url.searchParams.get("partNumber")}`);
    });
    return seen;
  }

  test("the client goes on when the network is back, and its progress never goes back", async () => {
    await page.evaluate(() => tools.start("/large.png", "parts"));
    await page.waitForFunction(() => tools.progress.length > 0);
    await context.setOffline(true);
    await page.waitForFunction(() => !navigator.onLine);
    const whileOffline = await page.evaluate(() => tools.progress.at(-1)!);
    await context.setOffline(false);
    const image = await page.evaluate(() => tools.done());
    expect(image).toMatchObject({ state: "ready", width: 2000, bytes: large.length });
    const progress = await page.evaluate(() => tools.progress);
    expect(progress).toEqual(progress.toSorted((one, other) => one - other));
    expect(progress.at(-1)).toBe(large.length);
    expect(whileOffline).toBeLessThanOrEqual(large.length);
  });

  test("an upload goes on in a page that was loaded again", async () => {
    await page.evaluate(() => tools.start("/large.png", "parts"));
    const id = await page.evaluate(() => tools.firstPartIsStored());
    await loadPage();
    const sent = watchBucket();
    const image = await page.evaluate((input) => tools.resume(input, "/large.png"), id);
    expect(image).toMatchObject({ id, state: "ready", width: 2000 });
    expect(sent.length).toBeLessThan(2);
  });

  test("the bucket lets a page send forms and parts, and nothing else", async () => {
    const about = { type: "image/png", bytes: 20_000_000 };
    const created = await ann.send("POST", "/v1/uploads", about);
    const { id } = ((await created.json()) as { image: { id: string } }).image;
    const signed = await ann.send("POST", `/v1/uploads/${id}/parts`, { numbers: [1] });
    const { url } = ((await signed.json()) as { parts: { url: string }[] }).parts[0]!;
    const canRead = (method: string) =>
      page.evaluate(
        (input) =>
          fetch(input.url, { method: input.method }).then(
            () => true,
            () => false,
          ),
        { url, method },
      );
    const allowed = await Promise.all(["POST", "PUT", "GET", "DELETE", "HEAD"].map(canRead));
    expect(allowed).toEqual([true, true, false, false, false]);
    await ann.send("DELETE", `/v1/uploads/${id}`);
  });

  test("Uppy sends a form, and a file that is no picture fails with the reason", async () => {
    const result = await page.evaluate(() =>
      tools.uppy(["/férias na praia (2).jpg", "/false.jpg"], {}),
    );
    expect(result.successful).toEqual(["férias na praia (2).jpg"]);
    expect(result.failed).toEqual([["false.jpg", expect.stringMatching(/picture|image/)]]);
    const image = await ann.send("GET", `/v1/me/images/${result.imageIds[0]}`);
    expect(await image.json()).toMatchObject({ state: "ready", width: 640 });
  });

  test("Uppy sends parts, pauses and resumes without sending a part again", async () => {
    const sent = watchBucket();
    await page.evaluate(() => tools.uppyStart("/large.png"));
    await page.evaluate(() => tools.uppyPartIsStored());
    await page.evaluate(() => tools.uppyPause());
    const paused = sent.length;
    await page.waitForTimeout(300);
    expect(sent.length).toBe(paused);
    await page.evaluate(() => tools.uppyResume());
    const result = await page.evaluate(() => tools.uppyDone());
    expect(result).toMatchObject({ successful: ["large.png"], failed: [] });
    expect(sent.filter((one) => one === "PUT 1")).toHaveLength(1);
    const image = await ann.send("GET", `/v1/me/images/${result.imageIds[0]}`);
    expect(await image.json()).toMatchObject({ state: "ready", width: 2000 });
  });

  test("an upload that Uppy restores after a reload sends what is missing", async () => {
    await page.evaluate(() => tools.uppyStart("/large.png"));
    const id = await page.evaluate(() => tools.uppyPartIsStored());
    await page.evaluate(() => tools.uppyPause());
    await loadPage();
    const sent = watchBucket();
    const restore = () => page.evaluate((input) => tools.uppyRestore("/large.png", input), id);
    const complete = { successful: ["large.png"], failed: [], imageIds: [id] };
    expect(await restore()).toMatchObject(complete);
    expect(sent).not.toContain("PUT 1");
    // once more: all of it has come
    sent.length = 0;
    expect(await restore()).toMatchObject(complete);
    expect(sent).toEqual([]);
  });

  test("a file that is cancelled in Uppy leaves nothing on the server", async () => {
    await page.evaluate(() => tools.uppyStart("/large.png", "cancel"));
    const id = await page.evaluate(() => tools.uppyPartIsStored());
    await expect.poll(async () => (await stateOf(id)).status, { timeout: 10_000 }).toBe(404);
    expect(await openKeys()).not.toContain(`uploads/${id}`);
  });
});
