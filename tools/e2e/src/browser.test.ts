import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { signIn } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browserIsMissing = !existsSync(executablePath);
if (browserIsMissing) console.warn(`no browser at ${executablePath}: the browser test is skipped`);

// an origin that infra/settings.ts allows, and one that it does not
const origin = "http://localhost:5173";
const otherOrigin = "http://localhost:5999";

// Chromium lets a page call this machine only if the page comes from this machine
const pages = [5173, 5999].map((port) =>
  createServer((_, res) =>
    res.setHeader("content-type", "text/html").end("<!doctype html><title>gallery</title>"),
  ).listen(port, "127.0.0.1"),
);

let stage: Stage;
let browser: Browser;

beforeAll(async () => {
  if (browserIsMissing) return;
  stage = await openStage();
  browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
});

afterAll(async () => {
  await browser?.close();
  for (const page of pages) page.close();
  await stage?.stop();
});

test.skipIf(browserIsMissing)(
  "a page of an allowed origin uploads to S3 directly and shows the image as AVIF",
  { timeout: 60_000 },
  async () => {
    const page = await browser.newPage();
    await page.goto(origin);
    const { idToken } = await signIn(stage.local, 0);
    const bytes = (await sampleJpeg(1280, 960, 7)).toString("base64");

    const image = await page.evaluate(uploadAndWait, { api: stage.local.api, idToken, bytes });
    expect(image).toMatchObject({ state: "ready", width: 1280, height: 960 });

    const answered = page.waitForResponse((response) => response.url().includes(`/i/${image.id}`));
    const width = await page.evaluate(show, `${stage.local.api}/i/${image.id}/${image.rev}?w=640`);
    expect(width).toBe(640);
    expect((await answered).headers()["content-type"]).toBe("image/avif");
    await page.close();
  },
);

test.skipIf(browserIsMissing)(
  "a page of another origin cannot read responses of the API",
  async () => {
    const page = await browser.newPage();
    await page.goto(otherOrigin);
    const outcome = await page.evaluate(
      (url) =>
        fetch(url, { headers: { authorization: "x" } }).then(
          () => "read",
          () => "refused",
        ),
      `${stage.local.api}/v1/images`,
    );
    expect(outcome).toBe("refused");
    await page.close();
  },
);

type Ready = { id: string; rev: string; state: string; width: number; height: number };

// the next two functions run inside the page
async function uploadAndWait(input: {
  api: string;
  idToken: string;
  bytes: string;
}): Promise<Ready> {
  const blob = await (await fetch(`data:image/jpeg;base64,${input.bytes}`)).blob();
  const created = await fetch(`${input.api}/v1/uploads`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${input.idToken}` },
    body: JSON.stringify({ type: "image/jpeg", bytes: blob.size }),
  });
  const { image, upload } = (await created.json()) as {
    image: Ready;
    upload: { url: string; fields: Record<string, string> };
  };
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
  form.append("file", blob);
  const stored = await fetch(upload.url, { method: "POST", body: form });
  if (!stored.ok) throw new Error(`S3 answered ${stored.status}`);
  for (let look = 0; look < 400; look++) {
    const now = (await (await fetch(`${input.api}/v1/images/${image.id}`)).json()) as Ready;
    if (now.state === "ready" || now.state === "rejected") return now;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("the image did not become ready within 10 s");
}

function show(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // the page has a DOM, the types of this program do not
    const image = new (globalThis as unknown as { Image: new () => HTMLImage }).Image();
    image.onload = () => resolve(image.naturalWidth);
    image.onerror = () => reject(new Error(`the browser could not show ${url}`));
    image.src = url;
  });
}

type HTMLImage = { src: string; naturalWidth: number; onload: () => void; onerror: () => void };
