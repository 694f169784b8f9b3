import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, pendingImage, readyImage } from "../test/samples.ts";
import * as Account from "./account.ts";
import * as Dynamo from "./dynamo.ts";
import * as Idempotency from "./idempotency.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as Like from "./like.ts";
import * as LikeRow from "./like.row.ts";
import * as UsageRow from "./usage.row.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

test("an account is marked for deletion, and what belongs to it is removed", async () => {
  const ofAnn = await readyImage();
  const ids = [
    await readyImage({}, "bo"),
    await readyImage({ visibility: "private" }, "bo"),
    (await pendingImage({}, "bo")).id,
  ];
  await as("bo", () => Like.put(ofAnn));
  await as("bo", () =>
    Idempotency.runOnce({ key: "k", route: "POST /", content: "" }, async () => "done"),
  );
  expect(await as("bo", () => Account.remove())).toEqual({ id: "bo" });
  expect(await Dynamo.get(UsageRow.key("bo"))).toMatchObject({ deletingAt: expect.any(String) });
  expect(await Account.erase("bo")).toBe(true);

  for (const id of ids) expect(await Ingest.readRow(id)).toMatchObject({ state: "deleted" });
  expect(await Dynamo.get(LikeRow.key(ofAnn, "bo"))).toBeUndefined();
  expect(await Dynamo.queryAll(Idempotency.userQuery("bo"))).toEqual([]);
  expect(await Image.get(ofAnn)).toMatchObject({ state: "ready" });
  expect(await Account.erase("bo")).toBe(true);
});

test.each(["with images", "without images"])(
  "a token of a deleted account %s likes nothing, and its likes can be withdrawn",
  async (kind) => {
    const user = `eve ${kind}`;
    const [liked, other] = [await readyImage(), await readyImage()];
    if (kind === "with images") await readyImage({}, user);
    await as(user, () => Like.put(liked));
    await as(user, () => Account.remove());
    for (const id of [liked, other])
      await expect(as(user, () => Like.put(id))).rejects.toMatchObject({
        code: "account.deleting",
      });
    expect(await Dynamo.get(LikeRow.key(other, user))).toBeUndefined();
    expect(await as(user, () => Like.remove(liked))).toMatchObject({ liked: false });
  },
);

test("many rows are removed in several calls", async () => {
  const id = await readyImage();
  for (let first = 0; first < 240; first += 40)
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        Dynamo.put({
          item: {
            ...LikeRow.item(id, "cy", `2026-11-21T12:00:00.${first + index}Z`),
            sk: `USER#${first + index}`,
          },
        }),
      ),
    );
  expect(await Account.erase("cy")).toBe(false);
  expect(await Account.erase("cy")).toBe(true);
});
