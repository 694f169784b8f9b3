import { array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import { setLimits, startCloud } from "../test/cloud.ts";
import { as, expire, found, pendingImage, readyImage } from "../test/samples.ts";
import * as Account from "./account.ts";
import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import type { VisibleError } from "./error.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as Ingest from "./ingest.ts";
import * as SignedUrl from "./signed-url.ts";
import * as Upload from "./upload.ts";
import * as UsageRow from "./usage.row.ts";
import * as Usage from "./usage.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());
afterEach(() => void vi.useRealTimers());

let users = 0;
const newUser = () => `user-${(users += 1)}`;

/** What the user has used of each quota. */
async function used(user: string): Promise<Record<Usage.Quota, number>> {
  const info = await as(user, Usage.get);
  return Object.fromEntries(
    Object.entries(info).map(([quota, amount]) => [quota, amount.used]),
  ) as Record<Usage.Quota, number>;
}

const storedRow = async (user: string) => UsageRow.Row.parse(await Dynamo.get(UsageRow.key(user)));

/** The same numbers from the rows of the user's images. */
async function counted(user: string) {
  const items = await Dynamo.queryAll({
    index: "gsi1",
    keyCondition: "#gsi1pk = :owner",
    values: { owner: ImageRow.ownerKey(user) },
  });
  const images = items
    .map((item) => ImageRow.parse(item))
    .filter((image) => image !== undefined)
    .filter(({ state }) => state !== "rejected");
  const open = images.filter(({ state }) => state === "pending");
  return {
    images: images.length,
    bytes: images.reduce((sum, { bytes }) => sum + bytes, 0),
    openUploads: open.length,
    reservedNames: open.filter(({ name }) => name !== undefined).length,
  };
}

const passSeconds = (seconds: number) =>
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });

const reason = { code: "image.truncated", detail: "It ends too early" };
const namedUpload = (user: string, bytes = 10): Ingest.NamedUpload => ({
  id: Id.create("image"),
  ownerId: user,
  type: "image/jpeg",
  bytes,
  uploadedAt: new Date().toISOString(),
});

test("an image is counted from its creation to its deletion, with the size that it has", async () => {
  const user = newUser();
  const zero = { images: 0, bytes: 0, openUploads: 0, reservedNames: 0, signedUrls: 0 };
  expect(await used(user)).toEqual(zero);
  const { id } = await pendingImage({ bytes: 5000, name: `${user}.jpg` }, user);
  expect(await used(user)).toEqual({
    ...zero,
    images: 1,
    bytes: 5000,
    openUploads: 1,
    reservedNames: 1,
  });
  const event = { id, sequencer: "01" };
  const image = (await Ingest.startProcessing(event))!;
  expect(await used(user)).toEqual({ ...zero, images: 1, bytes: 5000 });
  expect(Object.keys((await storedRow(user)).working)).toEqual([`${id}_01`]);
  await Ingest.markReady(event, image, { ...found, bytes: 4000 });
  expect(await used(user)).toEqual({ ...zero, images: 1, bytes: 4000 });
  expect((await storedRow(user)).working).toEqual({});
  await as(user, () => Image.remove(id));
  await as(user, () => Image.remove(id));
  expect(await used(user)).toEqual(zero);
});

// every write is conditional on what was read, so the numbers stay those of the rows in any order and at the same time
test("after any history of images, the usage is what the rows of the images say", () => {
  const step = record({
    action: constantFrom("create", "start", "ready", "reject", "remove", "put", "expire", "late"),
    image: integer({ min: 0, max: 5 }),
    bytes: integer({ min: 1, max: 9000 }),
  });
  return assert(
    asyncProperty(array(array(step, { maxLength: 5 }), { maxLength: 12 }), async (rounds) => {
      const user = newUser();
      const ids: Image.ImageId[] = [];
      const started: { event: Ingest.UploadEvent; image: Ingest.Image }[] = [];
      let sequence = 0;
      const run = async ({ action, image: number, bytes }: (typeof rounds)[number][number]) => {
        const id = ids[number % ids.length];
        const event = (id: Image.ImageId) => ({ id, sequencer: `0${(sequence += 1)}` });
        const start = async (event: Ingest.UploadEvent) => {
          const image = await Ingest.startProcessing(event);
          if (image) started.push({ event, image });
        };
        if (action === "create") {
          const name = bytes % 2 ? { name: `${user}-${(sequence += 1)}.jpg` } : {};
          ids.push((await pendingImage({ bytes, ...name }, user)).id);
        } else if (action === "put") {
          const named = namedUpload(user, bytes);
          ids.push(named.id);
          const putEvent = event(named.id);
          const image = await Ingest.startNamedUpload(putEvent, named);
          if (image) started.push({ event: putEvent, image });
        } else if (!id) return;
        else if (action === "start") await start(event(id));
        else if (action === "late") await start({ id, sequencer: "00" });
        else if (action === "remove")
          await as(user, () => Image.remove(id)).catch((error: VisibleError) => {
            if (error.code !== "image.not_found") throw error;
          });
        else if (action === "expire") await expireOpen(user, id);
        else {
          const [last] = started.splice(number % Math.max(1, started.length), 1);
          if (!last) return;
          if (action === "ready")
            await Ingest.markReady(last.event, last.image, { ...found, bytes: bytes % 50 });
          else await Ingest.markRejected(last.event, last.image, reason);
        }
      };
      for (const round of rounds) await Promise.all(round.map(run));
      const { signedUrls: _, ...numbers } = await used(user);
      expect(numbers).toEqual(await counted(user));
      for (const { event, image } of started) await Ingest.markRejected(event, image, reason);
      expect((await storedRow(user).catch(() => UsageRow.EMPTY)).working).toEqual({});
    }),
    { numRuns: 25 },
  );
});

/** As if a pending upload had been created a day ago. */
async function expireOpen(user: string, id: Image.ImageId) {
  const row = await Image.findRow(id);
  if (row?.state !== "pending") return;
  const expiresAt = Clock.nowSeconds();
  const isPending = { condition: "#state = :pending", values: { pending: "pending" } };
  await Dynamo.transact([
    { update: { key: ImageRow.key(id), set: { expiresAt }, ...isPending } },
    {
      update: {
        key: UsageRow.key(user),
        set: { [`open.${id}.expiresAt`]: expiresAt },
        condition: `attribute_exists(#open.#${id})`,
      },
    },
  ]);
}

test("thirty uploads of one user at once are all counted, and of more than the limit exactly the limit is created", async () => {
  setLimits({ images: 20 });
  const user = newUser();
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, () => pendingImage({ bytes: 7 }, user)),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(20);
  expect(await used(user)).toMatchObject({ images: 20, bytes: 140, openUploads: 20 });
  expect(await counted(user)).toMatchObject({ images: 20 });
});

test.each([
  [{ images: 2 }, "quota.images", { used: 2, limit: 2, remaining: 0 }, undefined],
  [{ bytes: 2500 }, "quota.bytes", { used: 2000, limit: 2500, remaining: 500 }, undefined],
  [
    { openUploads: 2 },
    "quota.open_uploads",
    { used: 2, limit: 2, remaining: 0 },
    Clock.DAY_SECONDS,
  ],
  [
    { reservedNames: 2 },
    "quota.reserved_names",
    { used: 2, limit: 2, remaining: 0 },
    Clock.DAY_SECONDS,
  ],
] as const)("the limit %j is %s, says what is used, and creates nothing", async (...line) => {
  const [limits, code, quota, waitSeconds] = line;
  setLimits(limits);
  const user = newUser();
  const create = (n: number) => pendingImage({ bytes: 1000, name: `${user}-${n}.jpg` }, user);
  const [first] = [await create(1), await create(2)];
  const error: VisibleError = await create(3).then(
    () => expect.unreachable(),
    (reason) => reason,
  );
  expect(error).toMatchObject({ kind: "limited", code, quota });
  expect(error.message).toContain(`${quota.used} of ${quota.limit}`);
  const wait = error.retryAfterSeconds;
  expect(wait && Math.round(wait / 100) * 100).toBe(waitSeconds);
  expect(await counted(user)).toMatchObject({ images: 2 });
  // nor is the name taken
  await pendingImage({ name: `${user}-3.jpg` }, newUser());
  // another user has limits of its own, and what was deleted is free again
  await pendingImage({ bytes: 1000 }, newUser());
  await as(user, () => Image.remove(first.id));
  await create(4);
});

test("names cannot be reserved without end when no byte is sent", async () => {
  setLimits({ reservedNames: 30 });
  const user = newUser();
  const results = await Promise.allSettled(
    Array.from({ length: 120 }, (_, n) => pendingImage({ name: `${user}-${n}.jpg` }, user)),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(30);
  // uploads without a name are still possible
  await pendingImage({}, user);
});

test("what has expired does not count, is removed when a limit is reached, and its upload is not processed", async () => {
  setLimits({ openUploads: 2, reservedNames: 2 });
  const user = newUser();
  const first = await pendingImage({ name: `${user}-1.jpg` }, user);
  await pendingImage({ name: `${user}-2.jpg` }, user);
  passSeconds(Clock.DAY_SECONDS + 1);
  expect(await used(user)).toMatchObject({ images: 0, bytes: 0, openUploads: 0, reservedNames: 0 });
  expect(Object.keys((await storedRow(user)).open)).toHaveLength(2);
  const third = await pendingImage({ name: `${user}-3.jpg` }, user);
  expect(Object.keys((await storedRow(user)).open)).toEqual([third.id]);
  expect(await used(user)).toMatchObject({ images: 1, openUploads: 1, reservedNames: 1 });
  expect(await Ingest.startProcessing({ id: first.id, sequencer: "01" })).toBeUndefined();
  await as(user, () => Image.remove(first.id));
  expect(await used(user)).toMatchObject({ images: 1, openUploads: 1, reservedNames: 1 });
});

test("the upload of a process whose clock is late is not processed after it was removed as expired", async () => {
  setLimits({ openUploads: 1 });
  const user = newUser();
  const { id } = await pendingImage({}, user);
  passSeconds(Clock.DAY_SECONDS + 1);
  await pendingImage({}, user);
  vi.useRealTimers();
  expect(await Ingest.startProcessing({ id, sequencer: "01" })).toBeUndefined();
  await expect(as(user, () => Image.remove(id))).rejects.toMatchObject({ code: "image.not_found" });
  expect(await storedRow(user)).toMatchObject({ images: 1 });
});

test("an upload through PUT /s3 over a limit is rejected with that reason, and is not counted", async () => {
  setLimits({ images: 1 });
  const user = newUser();
  await readyImage({}, user);
  const named = namedUpload(user);
  expect(await Ingest.startNamedUpload({ id: named.id, sequencer: "01" }, named)).toBeUndefined();
  expect(await Image.findRow(named.id)).toMatchObject({
    state: "rejected",
    reason: { code: "quota.images", detail: expect.stringContaining("1 of 1") },
  });
  expect(await used(user)).toMatchObject({ images: 1 });
  // the same event again does not change it
  expect(await Ingest.startNamedUpload({ id: named.id, sequencer: "01" }, named)).toBeUndefined();
});

test("a rejected image expires after a week, and until then another upload of it is counted again", async () => {
  const user = newUser();
  const { id } = await pendingImage({}, user);
  const event = { id, sequencer: "01" };
  await Ingest.markRejected(event, (await Ingest.startProcessing(event))!, reason);
  expect(await used(user)).toMatchObject({ images: 0, bytes: 0 });
  const again = { id, sequencer: "02" };
  await Ingest.markRejected(again, (await Ingest.startProcessing(again))!, reason);
  const { expiresAt = 0 } = (await Image.findRow(id))!;
  expect(expiresAt - Clock.nowSeconds()).toBeGreaterThan(6.9 * Clock.DAY_SECONDS);
  passSeconds(7 * Clock.DAY_SECONDS + 1);
  expect(await Image.findRow(id)).toBeUndefined();
  expect(await Ingest.startProcessing({ id, sequencer: "03" })).toBeUndefined();
});

test("a rejected image is not processed again when its owner has reached a limit meanwhile", async () => {
  setLimits({ images: 1 });
  const user = newUser();
  const { id } = await pendingImage({}, user);
  const event = { id, sequencer: "01" };
  await Ingest.markRejected(event, (await Ingest.startProcessing(event))!, reason);
  await pendingImage({}, user);
  expect(await Ingest.startProcessing({ id, sequencer: "02" })).toBeUndefined();
  expect(await Image.findRow(id)).toMatchObject({ state: "rejected" });
});

test("the same bytes are worked on once, and again after a rejection that was not for the bytes", async () => {
  const user = newUser();
  const { id } = await pendingImage({}, user);
  const start = (sequencer: string, tag: string) => Ingest.startProcessing({ id, sequencer, tag });
  const first = (await start("01", "9 a"))!;
  // while they are processed
  expect(await start("02", "9 a")).toBeUndefined();
  // the first event again, after its process was killed
  expect(await start("01", "9 a")).toBeDefined();
  const seen = { ...first, version: first.version + 1 };
  await Ingest.markRejected({ id, sequencer: "01" }, seen, reason);
  expect(await start("03", "9 a")).toBeUndefined();
  const other = (await start("04", "9 b"))!;
  await Ingest.markRejected({ id, sequencer: "04" }, other, { code: "name.taken", detail: "No" });
  expect(await start("05", "9 b")).toBeDefined();
});

test("an owner uses its share of ingest at most, and the others are not affected", async () => {
  setLimits({ ingestSlots: 2 });
  const [heavy, other] = [newUser(), newUser()];
  const started = async (user: string, id?: Image.ImageId, sequencer = "01") => {
    const event = { id: id ?? (await pendingImage({}, user)).id, sequencer };
    return { event, image: (await Ingest.startProcessing(event))! };
  };
  const { id } = await pendingImage({}, heavy);
  const first = await started(heavy, id);
  // another upload of the same image has a slot of its own; the same event again has the same
  await started(heavy, id, "02");
  await started(heavy, id, "02");
  const busy = { name: "OwnerIsBusy" };
  await expect(started(heavy)).rejects.toMatchObject(busy);
  const named = namedUpload(heavy);
  const namedEvent = { id: named.id, sequencer: "01" };
  await expect(Ingest.startNamedUpload(namedEvent, named)).rejects.toMatchObject(busy);
  expect(await Image.findRow(named.id)).toBeUndefined();
  const ready = (await Image.findRow(await readyImage({}, other)))!;
  await expect(Ingest.inSlot({ ...ready, ownerId: heavy }, async () => 1)).rejects.toMatchObject(
    busy,
  );
  expect(await Ingest.inSlot(ready, async () => 1)).toBe(1);
  await started(other);
  // the overtaken attempt ends without a result, and frees its slot
  expect(await Ingest.markRejected(first.event, first.image, reason)).toBeUndefined();
  await started(heavy);
  await expect(started(heavy)).rejects.toMatchObject(busy);
  // the processes were killed
  passSeconds(101);
  await started(heavy);
});

test("a process that fails frees its slot", async () => {
  setLimits({ ingestSlots: 1 });
  const user = newUser();
  const { id } = await pendingImage({}, user);
  const event = { id, sequencer: "01" };
  const image = (await Ingest.startProcessing(event))!;
  await Ingest.stopProcessing(event, image);
  await Ingest.stopProcessing(event, image);
  const failing = Ingest.inSlot(image, () => Promise.reject(new Error("failed")));
  await expect(failing).rejects.toThrow("failed");
  expect((await storedRow(user)).working).toEqual({});
});

test("signed URLs are counted per day", async () => {
  setLimits({ signedUrlsPerDay: 5 });
  const user = newUser();
  const id = await readyImage({}, user);
  const sign = (number: number) =>
    as(user, () =>
      SignedUrl.create({
        id,
        host: "h",
        urls: Array.from({ length: number }, () => ({ query: {} })),
      }),
    );
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-21T23:00:00Z") });
  await sign(2);
  await sign(2);
  await expect(sign(2)).rejects.toMatchObject({
    kind: "limited",
    code: "quota.signed_urls",
    quota: { used: 4, limit: 5, remaining: 1 },
    retryAfterSeconds: 3600,
  });
  await sign(1);
  expect(await used(user)).toMatchObject({ signedUrls: 5 });
  vi.setSystemTime(new Date("2026-11-22T00:00:00Z"));
  expect(await used(user)).toMatchObject({ signedUrls: 0 });
  await sign(5);
  expect(await used(user)).toMatchObject({ signedUrls: 5 });
});

test("nothing can be added to an account that is being deleted, and what it has can be deleted", async () => {
  const user = newUser();
  const id = await readyImage({}, user);
  await Account.markForDeletion(user);
  await expect(pendingImage({}, user)).rejects.toMatchObject({
    kind: "conflict",
    code: "account.deleting",
  });
  const receive = () =>
    as(user, () => Upload.receive({ type: "image/png", body: new Uint8Array([1]) }));
  await expect(receive()).rejects.toMatchObject({ code: "account.deleting" });
  const named = namedUpload(user);
  expect(await Ingest.startNamedUpload({ id: named.id, sequencer: "01" }, named)).toBeUndefined();
  expect(await Image.findRow(named.id)).toBeUndefined();
  await as(user, () => Image.remove(id));
  expect(await used(user)).toMatchObject({ images: 0, bytes: 0 });
  const newcomer = newUser();
  await Account.markForDeletion(newcomer);
  await expect(pendingImage({}, newcomer)).rejects.toMatchObject({ code: "account.deleting" });
});

test("images that are older than the row of their owner are counted when it is created", async () => {
  const user = newUser();
  const id = await readyImage({}, user);
  await pendingImage({ name: `${user}.jpg` }, user);
  await Dynamo.remove({ key: UsageRow.key(user) });
  await as(user, () => Image.remove(id));
  expect(await used(user)).toMatchObject({ images: 1, bytes: 1000, reservedNames: 1 });
  const expiring = await pendingImage({}, user);
  await expire(ImageRow.key(expiring.id));
});

test("an upload, an event and a deletion cost few requests", async () => {
  const user = newUser();
  await pendingImage({}, user);
  const create = () => pendingImage({ name: `${user}-a.jpg` }, user);
  expect(await cloud.tableRequests(create)).toEqual(["TransactWriteItems"]);
  const { items } = await as(user, () => Image.listMine({}));
  const { id } = items[0]!;
  const removing = await cloud.tableRequests(() => as(user, () => Image.remove(id)));
  expect(removing).toEqual(["GetItem", "TransactWriteItems"]);
});
