import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bucket, smallGraph, startS3 } from "./s3.fixture.ts";

const site = "https://app.example";
const corsRules = [
  {
    allowedOrigins: [site, "https://*.dev.example", "https://box*x.example"],
    allowedMethods: ["PUT", "POST"],
    allowedHeaders: ["content-type", "x-amz-*"],
    exposeHeaders: ["ETag"],
    maxAgeSeconds: 600,
  },
  { allowedOrigins: ["*"], allowedMethods: ["GET"] },
];
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => {
  s3 = await startS3(
    smallGraph([
      ...bucket("shared", { BucketCorsConfiguration: { corsRules } }),
      ...bucket("alone"),
    ]),
  );
  await s3.client().send(new PutObjectCommand({ Bucket: "shared", Key: "k", Body: "x" }));
});
afterAll(() => s3.stop());

const preflight = async (name: string, headers: Record<string, string>) => {
  const response = await fetch(`${s3.endpoint}/${name}/k`, { method: "OPTIONS", headers });
  return {
    status: response.status,
    text: await response.text(),
    headers: Object.fromEntries(response.headers),
  };
};
const preflightHeaders = (origin: string, method: string, headers = "") => ({
  origin,
  "access-control-request-method": method,
  ...(headers && { "access-control-request-headers": headers }),
});

test("the response to a preflight has the values of the first matching rule", async () => {
  expect(
    await preflight("shared", preflightHeaders(site, "PUT", "Content-Type, x-amz-meta-a")),
  ).toMatchObject({
    status: 200,
    headers: {
      "access-control-allow-origin": site,
      "access-control-allow-methods": "PUT, POST",
      "access-control-allow-headers": "content-type, x-amz-meta-a",
      "access-control-expose-headers": "ETag",
      "access-control-max-age": "600",
      "access-control-allow-credentials": "true",
      vary: expect.stringContaining("Origin"),
    },
  });
  expect(
    (await preflight("shared", preflightHeaders("https://me.dev.example", "POST"))).status,
  ).toBe(200);
  expect(
    (await preflight("shared", preflightHeaders("https://anyone.example", "GET"))).headers,
  ).toMatchObject({
    "access-control-allow-origin": "*",
  });
});

test.each([
  ["another origin", preflightHeaders("https://evil.example", "PUT")],
  ["an origin that only ends alike", preflightHeaders("https://evil-app.example", "PUT")],
  [
    "an origin that has the pattern's ends in one place",
    preflightHeaders("https://box.example", "PUT"),
  ],
  ["another method", preflightHeaders(site, "DELETE")],
  ["another header", preflightHeaders(site, "PUT", "content-type, authorization")],
])("a preflight for %s is refused", async (_, headers) => {
  const answer = await preflight("shared", headers);
  expect(answer).toMatchObject({
    status: 403,
    text: expect.stringContaining("<Code>AccessForbidden</Code>"),
  });
  expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
});

test("a preflight is refused by a bucket without rules, and without an Origin header", async () => {
  expect((await preflight("alone", preflightHeaders(site, "PUT"))).text).toContain(
    "CORS is not enabled for this bucket.",
  );
  expect((await preflight("shared", {})).status).toBe(400);
});

test("the response to a request, refused or not, has CORS headers for the rule's origins only", async () => {
  const put = async (origin: string) =>
    fetch(`${s3.endpoint}/shared/k`, { method: "PUT", body: "x", headers: { origin } });
  const mine = await put(site);
  expect(mine.status).toBe(403);
  expect(mine.headers.get("access-control-allow-origin")).toBe(site);
  expect(mine.headers.get("access-control-expose-headers")).toBe("ETag");
  expect((await put("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
});
