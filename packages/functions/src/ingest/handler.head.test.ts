import * as Image from "@balde/core/image";
import * as Ingest from "@balde/core/ingest";
import * as Upload from "@balde/core/upload";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as } from "../../../core/test/samples.ts";
import { png } from "../../../imaging/test/hostile/bytes.ts";
import { validImages } from "../../../imaging/test/hostile/cases.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { startS3Proxy, withS3Proxy } from "../../test/s3-proxy.ts";
import { sqsEvent } from "../../test/sqs-event.ts";
import { handler } from "./handler.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
let bucket: Awaited<ReturnType<typeof startS3Proxy>>;
beforeAll(async () => {
  cloud = await startCloud();
  bucket = await startS3Proxy(process.env["AWS_ENDPOINT_URL_S3"]!);
  process.env["AWS_ENDPOINT_URL_S3"] = bucket.url;
});
afterAll(async () => {
  await bucket.stop();
  await cloud.stop();
});

const HEAD_BYTES = 64 * 1024;
const long = (head: Buffer) => Buffer.concat([head, Buffer.alloc(300_000, 32)]);

/** The state of the image after its upload was processed, and how many bytes of the upload were read. */
async function ingested(bytes: Buffer) {
  const image = await as("ann", () =>
    Upload.receive({ type: "image/png", body: new Uint8Array(bytes) }),
  );
  const body = JSON.stringify(await cloud.eventOf(image.id));
  await handler(sqsEvent(body));
  const { state, reason } = await Image.get(image.id);
  return { state, code: reason?.code, read: bucket.bytesRead(`uploads/${image.id}`) };
}

test.each<[string, () => Buffer, string]>([
  ["a text", () => long(Buffer.from("not an image")), "image.not_a_picture"],
  ["256 megapixels", () => long(png(16_000, 16_000)), "image.too_many_pixels"],
  ["a side of 60,000 pixels", () => long(png(1, 60_000)), "image.side_too_long"],
  [
    "an SVG of a megabyte and more",
    () => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${" ".repeat(2 ** 20)}</svg>`),
    "image.too_many_bytes",
  ],
  [
    "an SVG with an image in it",
    () => long(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="x"/>')),
    "image.svg_images",
  ],
])("%s is rejected for its first 64 KiB, and no more is read", async (_, bytes, code) => {
  expect(await ingested(bytes())).toEqual({ state: "rejected", code, read: HEAD_BYTES });
});

test("an accepted upload is read once and whole, in every format", async () => {
  const valid = await validImages();
  const large = await photo(700, 500).png().toBuffer();
  expect(large.length).toBeGreaterThan(2 * HEAD_BYTES);
  for (const [name, bytes] of [...Object.entries(valid), ["large", large] as const])
    expect([name, await ingested(bytes)]).toEqual([
      name,
      { state: "ready", code: undefined, read: bytes.length },
    ]);
});

test("when the first bytes do not tell enough, the rest is read", async () => {
  // the chunk of a lossless WebP ends behind the first bytes
  const webp = await photo(700, 500).webp({ lossless: true }).toBuffer();
  expect(webp.length).toBeGreaterThan(2 * HEAD_BYTES);
  expect(await ingested(webp)).toMatchObject({ state: "ready", read: webp.length });
  const cut = webp.subarray(0, 2 * HEAD_BYTES);
  expect(await ingested(cut)).toEqual({
    state: "rejected",
    code: "image.truncated",
    read: cut.length,
  });
});

test("an image that becomes private while it is prepared is stored under its name for no moment", async () => {
  const bytes = new Uint8Array(await photo(300, 200).jpeg().toBuffer());
  const { id } = await as("ann", () =>
    Upload.receive({ type: "image/jpeg", body: bytes, name: "secret.jpg" }),
  );
  const body = JSON.stringify(await cloud.eventOf(id));
  const paths: string[] = [];
  let hidden: Promise<unknown> | undefined;
  const hide = async () => {
    await expect.poll(async () => (await Ingest.readRow(id))?.state).toBe("processing");
    await as("ann", () => Image.update({ id, visibility: "private" }));
  };
  await withS3Proxy(
    () => handler(sqsEvent(body)),
    async (path) => {
      paths.push(path);
      if (path.includes("/uploads/")) await (hidden ??= hide());
    },
  );
  expect(await Ingest.readRow(id)).toMatchObject({ state: "ready", visibility: "private" });
  expect(paths.filter((path) => path.endsWith("/images/secret.jpg"))).toEqual([]);
});
