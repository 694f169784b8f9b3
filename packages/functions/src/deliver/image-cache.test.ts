import { setTimeout as sleep } from "node:timers/promises";

import * as Id from "@balde/core/id";
import * as Image from "@balde/core/image";
import * as ImageRow from "@balde/core/image.row";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { as, expire, pendingImage, readyImage } from "../../../core/test/samples.ts";
import * as ImageCache from "./image-cache.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const get = (id: string, isSigned = false) => ImageCache.get(id, undefined, isSigned);

/** The clock of what is remembered stands still, `ms` from now, until the test is over. */
async function setClock(ms: number) {
  const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now() + ms);
  onTestFinished(() => clock.mockRestore());
  // the cache looks at the clock once in a millisecond
  await sleep(5);
}

const forgetAll = () => setClock(2001);

/** The requests to the table, and the outcome, of each of three requests for the image one after the other. */
async function observe(id: string) {
  const seen: unknown[] = [];
  for (let n = 0; n < 3; n++) {
    let outcome: unknown;
    const requests = await cloud.tableRequests(async () => {
      outcome = await get(id).then(
        () => "delivered",
        (error: Error & { code?: string }) => [
          error.code,
          error.message.replaceAll(id, "ID"),
          Object.keys(error),
        ],
      );
    });
    seen.push({ requests, outcome });
  }
  return seen;
}

const privateImage = () => readyImage({ visibility: "private" });

const hiddenImages: [string, () => Promise<string>][] = [
  ["private", privateImage],
  ["private and not ready", async () => (await pendingImage({ visibility: "private" })).id],
  [
    "deleted",
    async () => {
      const id = await readyImage();
      await as("ann", () => Image.remove(id));
      return id;
    },
  ],
  [
    "private, which its owner looks at now",
    async () => {
      const id = await privateImage();
      await get(id, true);
      return id;
    },
  ],
  [
    "expired",
    async () => {
      const { id } = await pendingImage();
      await expire(ImageRow.key(id));
      return id;
    },
  ],
];

test.each(hiddenImages)(
  "an image that is %s gives the same responses after the same requests to the table as an absent one",
  async (_, create) => {
    const absent = await observe(Id.create("image"));
    expect(absent).toMatchObject([
      {
        requests: ["GetItem"],
        outcome: ["image.not_found", "There is no image ID", expect.anything()],
      },
      { requests: [] },
      { requests: [] },
    ]);
    expect(await observe(await create())).toEqual(absent);
  },
);

test("a public image is read once in two seconds", async () => {
  const id = await readyImage();
  const read = { requests: ["GetItem"], outcome: "delivered" };
  const remembered = { requests: [], outcome: "delivered" };
  expect(await observe(id)).toEqual([read, remembered, remembered]);
  await forgetAll();
  expect(await observe(id)).toEqual([read, remembered, remembered]);
});

test("requests for an image at the same time share one read", async () => {
  const id = await readyImage();
  const requests = await cloud.tableRequests(() =>
    Promise.all([get(id), get(id), get(id), get(id)]),
  );
  expect(requests).toEqual(["GetItem"]);
});

test("an absent image that appears, and one that becomes public, is found two seconds later", async () => {
  const id = await privateImage();
  await expect(get(id)).rejects.toMatchObject({ code: "image.not_found" });
  await as("ann", () => Image.update({ id, visibility: "public" }));
  await expect(get(id)).rejects.toMatchObject({ code: "image.not_found" });
  await forgetAll();
  expect(await get(id)).toMatchObject({ id, isPublic: true });
});

test("an image that is not ready is read again with each request that may see it", async () => {
  const { id } = await pendingImage();
  for (let n = 0; n < 2; n++)
    expect(
      await cloud.tableRequests(() =>
        expect(get(id)).rejects.toMatchObject({ code: "image.not_ready" }),
      ),
    ).toEqual(["GetItem"]);
});

test("many guessed ids do not displace the rows of images", async () => {
  await setClock(0);
  const id = await readyImage();
  await get(id);
  for (let n = 0; n < 60; n++)
    await Promise.all(
      Array.from({ length: 20 }, () => get(Id.create("image")).catch(() => undefined)),
    );
  expect(await cloud.tableRequests(() => get(id))).toEqual([]);
});
