import { fork } from "node:child_process";

import * as Bucket from "@balde/core/bucket";
import * as Dynamo from "@balde/core/dynamo";
import * as ObjectKey from "@balde/core/object-key";
import * as RenderLease from "@balde/core/render-lease";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { withS3Proxy } from "../../test/s3-proxy.ts";
import { deliveryRequest, readyImage, served } from "../../test/samples.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const smallImage = async () => readyImage(await photo(300, 200).jpeg().toBuffer());

test("fifty concurrent requests of one process share one render", async () => {
  const image = await smallImage();
  const request = deliveryRequest(image, "w=222");
  const all = await Promise.all(Array.from({ length: 50 }, () => served(request)));
  expect(new Set(all.map(({ status, body }) => `${status} ${body.toString("hex")}`)).size).toBe(1);
  const renders = all.filter(({ headers }) => headers["Server-Timing"]!.includes("render;"));
  expect(renders.length).toBe(1);
});

test("sharp is loaded while the stored derivative is looked up", async () => {
  // large enough for a rung, which is rendered in the process itself
  const image = await readyImage(await photo(1400, 900).jpeg().toBuffer());
  const messages: string[] = [];
  const isLoaded = Promise.withResolvers<void>();
  // S3 does not answer the lookup before sharp is loaded
  const hold = (path: string) => (path.includes("/derived/") ? isLoaded.promise : undefined);
  await withS3Proxy(async () => {
    const child = fork(new URL("../../test/deliver.child.ts", import.meta.url));
    child.on("message", (message: string) => {
      messages.push(message);
      if (message === "started") child.send(deliveryRequest(image, "w=160"));
      if (message === "sharp is loaded") isLoaded.resolve();
    });
    await new Promise((resolve) => child.once("exit", resolve));
  }, hold);
  expect(messages).toEqual([
    "started",
    "sharp is not loaded at the start",
    "sharp is loaded",
    "status 200",
  ]);
});

test("when a process dies while it renders, another one renders after the lease has expired", async () => {
  const image = await smallImage();
  const request = deliveryRequest(image, "w=160&f=jpeg");
  await served(request);
  // as if a process had taken the lease and died: the lease is not renewed, and nothing is stored
  await Bucket.removeByPrefix(ObjectKey.derivativesPrefix(image.id));
  const expiresAtMs = Date.now() + 400;
  for await (const { pk, sk, lease } of Dynamo.query(RenderLease.imageQuery(image.id)))
    await Dynamo.update({
      key: { pk, sk } as Dynamo.Key,
      set: { lease: { ...(lease as object), expiresAtMs } },
    });
  const { headers } = await served(request);
  expect(headers["Server-Timing"]).toMatch(/wait;.*render;/);
  expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs);
});

test("a process that waits for a render that is refused is refused alike, without another try", async () => {
  const image = await smallImage();
  const request = deliveryRequest(image, "w=160");
  const key = ObjectKey.original(image.id, image.rev);
  const source = (await Bucket.read(key))!;
  await Bucket.put(key, source.subarray(0, 200), { type: "image/jpeg" });
  const truncated = { kind: "unprocessable", code: "image.truncated" };
  await expect(served(request)).rejects.toMatchObject(truncated);
  // the original is whole again, but the refusal is remembered for some seconds
  await Bucket.put(key, source, { type: "image/jpeg" });
  await expect(served(request)).rejects.toMatchObject(truncated);
});

test("after a failure that is not the image's fault, the next request renders at once", async () => {
  const image = await smallImage();
  const request = deliveryRequest(image, "w=160");
  const key = ObjectKey.original(image.id, image.rev);
  const source = (await Bucket.read(key))!;
  await Bucket.removeByPrefix(key);
  await expect(served(request)).rejects.toMatchObject({ code: "image.not_found" });
  await Bucket.put(key, source, { type: "image/jpeg" });
  const { headers } = await served(request);
  expect(headers["Server-Timing"]).toContain("render;");
  expect(headers["Server-Timing"]).not.toContain("wait;");
});
