import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  oneof,
  record,
  subarray,
} from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, found, pendingImage, readyImage } from "../test/samples.ts";
import * as Erase from "./erase.ts";
import * as Dynamo from "./dynamo.ts";
import * as ImageTag from "./image-tag.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const TAGS = ["sea", "sky", "pier", "ünï"];

const rowsOf = async (id: Image.Info["id"]) =>
  (await Dynamo.queryAll(ImageTag.imageQuery(id))).map(({ sk }) => String(sk).slice("TAG#".length));

/** The tags under which the image is listed. */
async function listsWith(id: Image.Info["id"]) {
  const listed: string[] = [];
  for (const tag of TAGS) {
    const { items } = await Image.list({ tag, limit: 100 });
    if (items.some((item) => item.id === id)) listed.push(tag);
  }
  return listed;
}

const sorted = (tags: Iterable<string>) => [...tags].toSorted((a, b) => (a < b ? -1 : 1));

const change = oneof(
  record({ tags: subarray(TAGS) }),
  record({ visibility: constantFrom("public" as const, "private" as const) }),
);

test(
  "whatever is changed, one after the other or at once, also while the image is made ready, it is listed under the tags that it has while it is public",
  () =>
    assert(
      asyncProperty(
        array(change, { maxLength: 4 }),
        subarray(TAGS),
        integer({ min: 1, max: 4 }),
        async (changes, tags, atOnce) => {
          const { id } = await pendingImage({ tags });
          const event = { id, sequencer: "01" };
          const image = (await Ingest.startProcessing(event))!;
          const update = (one: (typeof changes)[number]) =>
            as("ann", () => Image.update({ id, ...one }));
          const ready = Ingest.markReady(event, image, found);
          for (let at = 0; at < changes.length; at += atOnce)
            await Promise.all(changes.slice(at, at + atOnce).map(update));
          await ready;
          const row = (await Image.findRow(id))!;
          const expected = sorted(row.visibility === "public" ? row.tags : []);
          expect(sorted(await rowsOf(id))).toEqual(expected);
          expect(sorted(await listsWith(id))).toEqual(expected);
        },
      ),
      { numRuns: 10 },
    ),
  120_000,
);

test("a tag that is given twice is one row", async () => {
  const id = await readyImage({ tags: ["sea", "Sea", "sea"] });
  expect(await rowsOf(id)).toEqual(["sea"]);
  await as("ann", () => Image.update({ id, tags: ["sky", "sky"] }));
  expect(await rowsOf(id)).toEqual(["sky"]);
});

test("an image with twenty tags can get twenty others in one change", async () => {
  const tags = (prefix: string) => Array.from({ length: 20 }, (_, n) => `${prefix}${n}`);
  const id = await readyImage({ tags: tags("a") });
  await as("ann", () => Image.update({ id, tags: tags("b") }));
  expect(sorted(await rowsOf(id))).toEqual(sorted(tags("b")));
});

test("an image leaves the list of its tag with its change, although the row of the tag is still there", async () => {
  const hidden = await readyImage({ tags: ["sea"] });
  const deleted = await readyImage({ tags: ["sea"] });
  const kept = await rowsOf(hidden);
  await as("ann", () => Image.update({ id: hidden, visibility: "private" }));
  expect([kept, await rowsOf(hidden)]).toEqual([["sea"], []]);
  // as if the index were behind
  await Dynamo.transact(
    ImageTag.changes({ ...(await rowOf(hidden)), tags: [] }, await rowOf(hidden)),
  );
  await as("ann", () => Image.remove(deleted));
  expect([await rowsOf(hidden), await rowsOf(deleted)]).toEqual([["sea"], ["sea"]]);
  expect([await listsWith(hidden), await listsWith(deleted)]).toEqual([[], []]);
});

const rowOf = async (id: Image.Info["id"]) => ({
  ...(await Image.findRow(id))!,
  visibility: "public" as const,
});

test("the rows of the tags are removed with the image", async () => {
  const id = await readyImage({ tags: ["sea", "sky"] });
  await as("ann", () => Image.remove(id));
  await Erase.removeRows(id);
  expect(await rowsOf(id)).toEqual([]);
});
