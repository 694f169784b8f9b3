import { setTimeout as sleep } from "node:timers/promises";

import * as Bucket from "@balde/core/bucket";
import * as Dynamo from "@balde/core/dynamo";
import * as ObjectKey from "@balde/core/object-key";
import * as RenderLease from "@balde/core/render-lease";
import * as SignedUrl from "@balde/core/signed-url";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { ImageId } from "@balde/core/id.schema";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as } from "../../../core/test/samples.ts";
import { disc, gif, photo } from "../../../imaging/test/samples.ts";
import { createLatencyProxy, sequentialCalls } from "../../test/latency-proxy.ts";
import { deliveryRequest, readyImage, served } from "../../test/samples.ts";
import type { DeliveryRequest } from "./delivery-request.ts";
import { serveImage } from "./serve-image.ts";

/** Much longer than this process needs between two requests that do not wait for each other. */
const LATENCY_MS = 100;

const proxy = createLatencyProxy();
let cloud: Awaited<ReturnType<typeof startCloud>>;
let latencyMs = 0;
let shared: Awaited<ReturnType<typeof readyImage>>;
beforeAll(async () => {
  cloud = await startCloud();
  for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_DYNAMODB"])
    process.env[name] = await proxy.before(process.env[name]!, () => latencyMs);
  // sharp and the worker process are loaded, which holds this process up
  shared = await image();
  await served(deliveryRequest(shared, "w=64"));
  await served(deliveryRequest(await smallImage(), "w=64"));
}, 60_000);
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

let hoursLater = 0;
beforeEach(() => {
  const now = performance.now.bind(performance);
  // a lease is not renewed while a busy machine renders
  vi.useFakeTimers({ toFake: ["setInterval"] });
  vi.spyOn(performance, "now").mockImplementation(() => now() + hoursLater * 3_600_000);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const any = expect.any(String);

/** Lets this process forget the images that it knows. */
async function forgetImages() {
  hoursLater += 1;
  // the cache looks at the clock once in a millisecond
  await sleep(5);
}

/** The response, and the requests to AWS before it, each of which waited for the one before it. */
async function wait(request: DeliveryRequest) {
  proxy.takeCalls();
  latencyMs = LATENCY_MS;
  const response = await serveImage(request);
  const calls = sequentialCalls(proxy.takeCalls());
  latencyMs = 0;
  if (response.body && !Buffer.isBuffer(response.body)) response.body.resume();
  await response.afterSent?.();
  const stages = response.headers["Server-Timing"] ?? "";
  return { status: response.status, calls, isRender: /render|begin/.test(stages) };
}

const image = async (about = {}) =>
  readyImage(await photo(1400, 900).jpeg({ quality: 95 }).toBuffer(), about);

const animation = async () => readyImage(await gif(90, 60, ["red", "blue"]));
const lossless = async () => readyImage(await disc(1400, 900).png().toBuffer());
const smallImage = async () => readyImage(await photo(90, 60).jpeg().toBuffer());

async function privateImage() {
  const { id, rev } = await image({ visibility: "private" });
  const host = "api.example";
  const { paths } = await as("ann", () =>
    SignedUrl.create({ id, host, seconds: 60, urls: [{ query: { w: "301" } }] }),
  );
  return deliveryRequest({ id, rev }, new URL(paths[0]!, "https://a.b").search.slice(1));
}

/** Of the shared image, which no other request has seen. */
const of = (query: string, more: Partial<DeliveryRequest> = {}) =>
  deliveryRequest(shared, query, more);

const requests: [string, () => DeliveryRequest | Promise<DeliveryRequest>][] = [
  ["a width of the grid", () => of("w=640")],
  ["a width that the budget counts", () => of("w=301")],
  ["a URL without a revision", () => of("w=320", { rev: undefined })],
  ["a preset", () => of("", { preset: "tile" })],
  ["a private image with a signature", privateImage],
  ["a small image", async () => deliveryRequest(await smallImage(), "w=64")],
  ["an animation", async () => deliveryRequest(await animation(), "w=64")],
  ["a lossless original", async () => deliveryRequest(await lossless(), "w=1300&f=png")],
  ["a large image that is sent while it is rendered", () => of("w=1400&f=png")],
  ["the head of an image", () => of("w=480", { isHead: true })],
  ["a part of an image", () => of("w=960", { range: "bytes=10-20" })],
];

test.each(requests)(
  "%s: two waits for AWS before a render, and one before a stored derivative",
  async (_, make) => {
    const request = await make();
    await forgetImages();
    expect(await wait(request)).toMatchObject({ calls: [any, any], isRender: true });
    // the image is known to the process, and then forgotten
    expect(await wait(request)).toMatchObject({ calls: [any], isRender: false });
    await forgetImages();
    expect(await wait(request)).toMatchObject({ calls: [any], isRender: false });
  },
);

test("a client that has the image waits once, and nothing is read of the bucket", async () => {
  const request = deliveryRequest(await image(), "w=640");
  const { ETag } = (await served(request)).headers;
  await forgetImages();
  proxy.takeCalls();
  const { status } = await served({ ...request, ifNoneMatch: ETag });
  expect([status, proxy.takeCalls().map(({ what }) => what)]).toEqual([304, ["GetItem"]]);
});

test("another request for a stored derivative waits twice, renders nothing and keeps no lease", async () => {
  const own = await image();
  await served(deliveryRequest(own, "w=640"));
  for await (const { pk, sk } of Dynamo.query(RenderLease.imageQuery(own.id)))
    await Dynamo.remove({ key: { pk, sk } as Dynamo.Key });
  await forgetImages();
  const other = deliveryRequest(own, "w=640&h=640");
  expect(await wait(other)).toMatchObject({ status: 200, calls: [any, any], isRender: false });
  const leases = [];
  for await (const { lease } of Dynamo.query(RenderLease.imageQuery(own.id))) leases.push(lease);
  expect(leases).toEqual([undefined]);
});

test("a copy for a request that is not of the image's plan is not delivered", async () => {
  const own = await image();
  const request = deliveryRequest(own, "w=640");
  const first = await served(request);
  const { Contents = [] } = await cloud.s3.send(
    new ListObjectsV2Command({
      Bucket: cloud.bucket,
      Prefix: ObjectKey.derivativeByRequest(own.id as ImageId, ""),
    }),
  );
  expect(Contents).toHaveLength(1);
  for (const plan of ["other", `${own.rev}-other`]) {
    const options = { type: "image/avif", metadata: { plan } };
    await Bucket.put(Contents[0]!.Key!, Buffer.from("old"), options);
    await forgetImages();
    expect((await served(request)).body.equals(first.body)).toBe(true);
  }
});

test("without a signature a private image is not found, and its derivative is not waited for", async () => {
  const signed = await privateImage();
  await served(signed);
  const absent = deliveryRequest({ ...signed, id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV" }, "w=301");
  await forgetImages();
  for (const request of [deliveryRequest(signed, "w=301"), absent]) {
    proxy.takeCalls();
    await expect(served(request)).rejects.toMatchObject({
      code: "image.not_found",
    });
    expect(
      proxy
        .takeCalls()
        .map(({ what }) => what.replace(/\/.*/, ""))
        .toSorted(),
    ).toEqual(["GET ", "GetItem"]);
  }
});
