import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { bucket, smallGraph, startS3 } from "./s3.fixture.ts";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const isHere = existsSync(executablePath);
if (!isHere)
  console.warn(`no Chromium at ${executablePath}: what S3 is to a browser is not tested`);

describe.skipIf(!isHere)("in Chromium", () => {
  let s3: Awaited<ReturnType<typeof startS3>>;
  let browser: Browser;
  let page: Page;
  const site = createServer((_, res) =>
    res.setHeader("content-type", "text/html").end("<title>site</title>"),
  );
  beforeAll(async () => {
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    const corsRules = [
      {
        allowedOrigins: [origin],
        allowedMethods: ["PUT", "POST"],
        allowedHeaders: ["*"],
        exposeHeaders: ["ETag"],
      },
    ];
    s3 = await startS3(smallGraph(bucket("pictures", { BucketCorsConfiguration: { corsRules } })));
    const args = [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ];
    browser = await chromium.launch({ executablePath, args });
    page = await browser.newPage();
    await page.goto(origin);
  });
  afterAll(async () => {
    await browser.close();
    site.close();
    await s3.stop();
  });

  const size = 2_000_000;
  const presign = (
    Conditions: NonNullable<Parameters<typeof createPresignedPost>[1]["Conditions"]>,
  ) =>
    createPresignedPost(s3.client(), {
      Bucket: "pictures",
      Key: "uploads/1",
      Conditions,
      Fields: { "Content-Type": "image/png" },
    });

  const post = (form: { url: string; fields: Record<string, string> }, bytes: number) =>
    page.evaluate(
      async ([{ url, fields }, length]) => {
        const body = new FormData();
        for (const [name, value] of Object.entries(fields)) body.append(name, value);
        body.append("file", new Blob([new Uint8Array(length).fill(7)]));
        const response = await fetch(url, { method: "POST", body });
        return {
          status: response.status,
          etag: response.headers.get("etag"),
          text: await response.text(),
        };
      },
      [form, bytes] as const,
    );

  test("a page uploads by presigned POST and reads the ETag", async () => {
    const answer = await post(await presign([["content-length-range", 1, size]]), size);
    expect(answer).toMatchObject({ status: 204, etag: expect.stringMatching(/^"[\da-f]{32}"$/) });
    const stored = await s3
      .client()
      .send(new GetObjectCommand({ Bucket: "pictures", Key: "uploads/1" }));
    expect((await stored.Body!.transformToByteArray()).length).toBe(size);
  });

  test("a page can read why a POST was refused, however large the file", async () => {
    for (const length of [101, 30_000_000]) {
      const { status, text } = await post(
        await presign([["content-length-range", 1, 100]]),
        length,
      );
      expect(status).toBe(400);
      expect(text).toContain("<Code>EntityTooLarge</Code>");
    }
    const form = await presign([]);
    const forged = await post(
      { ...form, fields: { ...form.fields, "Content-Type": "text/html" } },
      5,
    );
    expect(forged).toMatchObject({
      status: 403,
      text: expect.stringContaining("Policy Condition failed"),
    });
  });

  test("a page uploads by presigned PUT", async () => {
    const answer = await put(await presignPut("uploads/2"));
    expect(answer).toEqual({ status: 200, etag: expect.stringMatching(/^"[\da-f]{32}"$/) });
  });

  test("a page of another origin cannot read a response", async () => {
    const url = await presignPut("uploads/3");
    await page.goto("about:blank");
    expect(await put(url)).toBe("refused");
  });

  const presignPut = (Key: string) => {
    const client = s3.client(undefined, { requestChecksumCalculation: "WHEN_REQUIRED" });
    return getSignedUrl(client, new PutObjectCommand({ Bucket: "pictures", Key }));
  };

  const put = (url: string) =>
    page.evaluate(
      ([target, length]) => {
        const headers = { "content-type": "image/png" };
        return fetch(target, {
          method: "PUT",
          headers,
          body: new Blob([new Uint8Array(length)]),
        }).then(
          ({ status, headers: sent }) => ({ status, etag: sent.get("etag") }),
          () => "refused",
        );
      },
      [url, size] as const,
    );
});
