import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { restEvent } from "../test/rest-event.ts";
import { admin } from "./admin.ts";
import { app } from "./app.ts";
import { serve } from "./rest-event.ts";

// The routes, with an AWS that answers as the test says.
let answer: RequestListener = () => {};
const server = createServer((request, response) => answer(request, response));

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const queue = JSON.stringify({ url: `${url}/1/queue` });
  Object.assign(process.env, {
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_S3: url,
    AWS_ENDPOINT_URL_SQS: url,
    SST_RESOURCE_App: JSON.stringify({ name: "balde", stage: "test" }),
    SST_RESOURCE_Data: JSON.stringify({ name: "data" }),
    SST_RESOURCE_Images: JSON.stringify({ name: "images" }),
    SST_RESOURCE_Ingest: queue,
    SST_RESOURCE_IngestDead: queue,
    SST_RESOURCE_Sync: queue,
    SST_RESOURCE_OutboxDead: queue,
    SST_RESOURCE_CountDead: queue,
    SST_RESOURCE_Limits: JSON.stringify({
      images: 9,
      bytes: 1e9,
      openUploads: 9,
      reservedNames: 9,
      signedUrlsPerDay: 9,
      ingestSlots: 9,
    }),
    SST_RESOURCE_Keys: JSON.stringify({ cursor: "a secret of tests" }),
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));

const throttle: RequestListener = (_request, response) =>
  response
    .writeHead(400, { "content-type": "application/x-amz-json-1.0" })
    .end(JSON.stringify({ __type: "x#ThrottlingException", message: "Rate exceeded" }));
const fail: RequestListener = (_request, response) => response.writeHead(503).end();
const never: RequestListener = () => {};

const image = "/v1/images/img_01ARZ3NDEKTSV4RRFFQ69G5FAV";
const json = (body: object) => ({
  sub: "ann",
  headers: { "content-type": "application/json" },
  body,
});
const calls: [method: string, path: string, parts?: Parameters<typeof restEvent>[2]][] = [
  ["GET", "/v1/images"],
  ["GET", image],
  ["GET", `${image}/likes`],
  ["GET", "/partner/v1/images"],
  ["GET", "/v1/me/images", { sub: "ann" }],
  ["GET", "/v1/me/likes", { sub: "ann" }],
  ["PUT", `${image}/like`, { sub: "ann" }],
  ["DELETE", image, { sub: "ann" }],
  [
    "PATCH",
    image,
    { ...json({ title: "a" }), headers: { "content-type": "application/json", "if-match": "*" } },
  ],
  ["POST", "/v1/uploads", json({ type: "image/png", bytes: 9 })],
  ["GET", "/admin/v1/state"],
  ["POST", "/admin/v1/reprocess", json({ ownerId: "ann" })],
];

async function call(...[method, path, parts]: (typeof calls)[number]) {
  const event = restEvent(method, path, parts);
  event.requestContext.identity.userArn = "arn:aws:iam::123456789012:user/operator";
  const handler = serve(path.startsWith("/admin") ? admin : app);
  const context = { getRemainingTimeInMillis: () => 4_000 };
  const { statusCode, headers, body } = await handler(event, context);
  return [statusCode, headers?.["retry-after"], JSON.parse(body).code];
}

test.each(calls)("%s %s is 503 when AWS throttles or fails", async (...one) => {
  vi.spyOn(console, "info").mockImplementation(() => {});
  for (const listener of [throttle, fail]) {
    answer = listener;
    expect(await call(...one)).toEqual([503, "2", "service.unavailable"]);
  }
});

test("a route is 503 before its function has no time left, when AWS does not answer", async () => {
  answer = never;
  const startedAt = performance.now();
  expect(await call("GET", image)).toEqual([503, "2", "service.unavailable"]);
  expect(performance.now() - startedAt).toBeLessThan(4_000);
});
