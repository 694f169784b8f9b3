import { afterAll, beforeAll, expect, test } from "vitest";

import { startCloud } from "../test/cloud.ts";
import { as, expire, pendingImage, readyImage } from "../test/samples.ts";
import * as Account from "./account.ts";
import * as Bucket from "./bucket.ts";
import * as Id from "./id.ts";
import * as ImageRow from "./image.row.ts";
import * as Image from "./image.ts";
import * as ObjectKey from "./object-key.ts";
import * as OpenUpload from "./open-upload.ts";
import * as Upload from "./upload.ts";
import type { PresignedPost } from "./upload-state.schema.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

async function create(description: Partial<Parameters<typeof Upload.create>[0]> = {}) {
  const { image, upload } = await as("ann", () =>
    Upload.create({ type: "image/jpeg", bytes: 10, ...description }),
  );
  if (upload.method !== "form") throw new Error(`The upload is sent in ${upload.method}`);
  return { image, upload };
}

function post({ url, fields }: PresignedPost, bytes: string, more: Record<string, string> = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...fields, ...more })) form.append(name, value);
  form.append("file", new Blob([bytes]));
  return fetch(url, { method: "POST", body: form });
}

test("a presigned POST stores the bytes in the bucket, unchanged, and the bucket notifies ingest", async () => {
  const { image, upload } = await create({ name: "pier.jpg", title: "Pier", tags: ["Sea"] });
  expect(image).toMatchObject({
    state: "pending",
    ownerId: "ann",
    name: "pier.jpg",
    tags: ["sea"],
    visibility: "public",
    likes: 0,
  });
  expect((await post(upload, "0123456789")).status).toBe(201);
  expect(String(await Bucket.read(ObjectKey.upload(image.id)))).toBe("0123456789");
  expect((await cloud.eventOf(image.id)).Records[0].s3.object.key).toBe(`uploads/${image.id}`);
});

test("the bucket takes any content type, because the bytes decide", async () => {
  for (const type of ["image/jpg", "", "image/heic"]) {
    const { upload } = await create();
    expect((await post(upload, "test", { "Content-Type": type })).status).toBe(201);
  }
});

test("the bucket refuses more bytes, another key and another hash than the upload declared", async () => {
  const sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"; // "test"
  const { upload: anyBytes } = await create();
  expect(await (await post(anyBytes, "01234567890")).text()).toContain("EntityTooLarge");
  expect(await (await post(anyBytes, "")).text()).toContain("EntityTooSmall");
  const { upload } = await create({ sha256 });
  expect((await post(upload, "test", { key: "images/x" })).status).toBe(403);
  expect((await post(upload, "tost")).status).toBe(400);
  expect((await post(upload, "test")).status).toBe(201);
});

test("a name belongs to one image, and is free again when its upload has expired", async () => {
  await create({ name: "twice.jpg" });
  const again = () =>
    as("bo", () => Upload.create({ name: "twice.jpg", type: "image/png", bytes: 1 }));
  await expect(again()).rejects.toMatchObject({ kind: "conflict", code: "name.taken" });
  await expire({ pk: "NAME#twice.jpg", sk: "NAME" });
  expect((await again()).image.name).toBe("twice.jpg");
});

test("any number of images have the same file name, of one owner and of others, and any text is one", async () => {
  for (const owner of ["ann", "ann", "bo"]) {
    const { fileName, name } = await pendingImage({ fileName: "IMG_0001.jpg" }, owner);
    expect([fileName, name]).toEqual(["IMG_0001.jpg", undefined]);
  }
  const path = await create({ fileName: "C:\\fakepath\\fe\u0301rias na praia.jpg" });
  expect(path.image.fileName).toBe("f\u00e9rias na praia.jpg");
  expect(path.upload.fields["key"]).toBe(ObjectKey.upload(path.image.id));
  expect((await create({ fileName: "../" })).image).not.toHaveProperty("fileName");
});

test("of thirty uploads that want the same name at once, one gets it", async () => {
  const requests = Array.from({ length: 30 }, (_, n) => pendingImage({ name: "one.jpg" }, `p${n}`));
  const answers = await Promise.allSettled(requests);
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test.each([
  [
    { bytes: 16 * 1024 * 1024 + 1, method: "form" },
    { kind: "too_large", message: expect.stringContaining("16 MiB") },
  ],
  [
    { bytes: 500 * 1024 * 1024 + 1 },
    { kind: "too_large", message: expect.stringContaining("500 MiB") },
  ],
  [
    { bytes: 17 * 1024 * 1024, sha256: "0".repeat(64) },
    { kind: "invalid", issues: [{ pointer: "/sha256" }] },
  ],
  [{ bytes: 0 }, { kind: "invalid" }],
  [{ type: "text/html" }, { kind: "unsupported", message: expect.stringContaining("image/avif") }],
  [{ visibility: "secret" }, { kind: "invalid", issues: [{ pointer: "/visibility" }] }],
  [{ name: "../x.jpg" }, { kind: "invalid", issues: [{ pointer: "/name" }] }],
  [{ name: "a..b" }, { kind: "invalid" }],
  [{ name: "a/b" }, { kind: "invalid" }],
  [{ name: "a%2Fb" }, { kind: "invalid" }],
  [{ name: "🐟.jpg" }, { kind: "invalid" }],
  [{ name: "" }, { kind: "invalid" }],
  [{ name: ".hidden" }, { kind: "invalid" }],
  [{ name: "x".repeat(129) }, { kind: "invalid" }],
  [{ title: "a\u0000b" }, { kind: "invalid" }],
  [{ ownerId: "bo" }, { kind: "invalid", issues: [{ pointer: "/ownerId" }] }],
])("an upload with %j is refused, and the error says why", async (description, error) => {
  await expect(create(description as object)).rejects.toMatchObject(error);
});

test("only its owner sees the state of an upload", async () => {
  const { id } = await pendingImage();
  const seen = await as("ann", () => Upload.get(id));
  expect(seen).toMatchObject({ id, state: "pending", bytes: 1000, type: "image/jpeg" });
  expect(Date.parse(seen.expiresAt!)).toBeGreaterThan(Date.now());
  await expect(as("bo", () => Upload.get(id))).rejects.toMatchObject({ kind: "not_found" });
});

test("the state of a form says whether the bytes have come, and a form that has expired is renewed", async () => {
  const sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"; // "test"
  const { image } = await create({ sha256 });
  const state = () => as("ann", () => Upload.get(image.id));
  expect(await state()).toMatchObject({ method: "form", received: false });
  const renewed = await as("ann", () => OpenUpload.renewForm(image.id));
  expect((await post(renewed, "tost")).status).toBe(400);
  expect((await post(renewed, "test")).status).toBe(201);
  expect(await state()).toMatchObject({ state: "pending", method: "form", received: true });
  await expect(as("bo", () => OpenUpload.renewForm(image.id))).rejects.toMatchObject({
    code: "upload.not_found",
  });
});

test("an upload is ended by its owner, more than once, and never when its bytes are processed", async () => {
  const { id } = await pendingImage({ name: "ended.jpg" });
  await expect(as("bo", () => OpenUpload.abort(id))).rejects.toMatchObject({ kind: "not_found" });
  await as("ann", () => OpenUpload.abort(id));
  await as("ann", () => OpenUpload.abort(id));
  await expect(as("ann", () => Upload.get(id))).rejects.toMatchObject({ kind: "not_found" });
  const done = await readyImage();
  const late = { code: "upload.received" };
  await expect(as("ann", () => OpenUpload.abort(done))).rejects.toMatchObject(late);
  await expect(as("ann", () => OpenUpload.renewForm(done))).rejects.toMatchObject(late);
});

test("an expired upload is not found, also before the table removes its row", async () => {
  const { id } = await pendingImage({}, "late");
  await expire(ImageRow.key(id));
  await expect(Image.get(id)).rejects.toMatchObject({ kind: "not_found" });
  expect((await as("late", () => Image.listMine({}))).items).toEqual([]);
});

test("bytes that come with the request are stored as an upload in the bucket", async () => {
  const body = new TextEncoder().encode("bytes");
  const image = await as("ann", () => Upload.receive({ type: "image/png", body }));
  expect(image).toMatchObject({ state: "pending", type: "image/png", bytes: 5 });
  expect(String(await Bucket.read(ObjectKey.upload(image.id)))).toBe("bytes");
});

test("an upload needs a signed-in user", async () => {
  await expect(Upload.create({ type: "image/png", bytes: 1 })).rejects.toMatchObject({
    kind: "unauthenticated",
  });
});

test("a name that is taken is answered with one that is free, after one read", async () => {
  const taken = async (name: string) => {
    const error = await create({ name }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "conflict", code: "name.taken" });
    const { suggestion, message } = error as { suggestion: string; message: string };
    expect(message).toContain(suggestion);
    return suggestion;
  };
  await create({ name: "dock.jpg" });
  expect(await taken("dock.jpg")).toBe("dock-2.jpg");
  await create({ name: "dock-2.jpg" });
  await create({ name: "dock-3.jpg" });
  expect(await taken("dock.jpg")).toBe("dock-4.jpg");
  await expire({ pk: "NAME#dock-2.jpg", sk: "NAME" });
  expect(await taken("dock.jpg")).toBe("dock-2.jpg");
  await create({ name: "dock-2.jpg" });
  for (let number = 4; number <= 9; number++) await create({ name: `dock-${number}.jpg` });
  const random = await taken("dock.jpg");
  expect(random).toMatch(/^dock-[0-9a-f]{8}\.jpg$/);
  expect((await create({ name: random })).image.name).toBe(random);
});

test.each(["a", "a.b.c", "a.", "archive.tar.gz", "9-", `${"x".repeat(124)}.jpg`, "y".repeat(128)])(
  "the suggestion for the name %s is a name",
  async (name) => {
    await create({ name });
    const error = await create({ name }).catch((thrown: unknown) => thrown);
    const { suggestion } = error as { suggestion: string };
    expect(suggestion).not.toBe(name);
    expect((await create({ name: suggestion })).image.name).toBe(suggestion);
  },
);

test("the state of an upload whose image is not created yet is to be asked for again, and names the deletion of the account", async () => {
  const state = (id: Id.ImageId) => as("gone", () => Upload.get(id));
  const isNew = await state(Id.ofRequest(Date.now(), "JKJaXmPLvHcESHA=")).catch((error) => error);
  expect(isNew).toMatchObject({ code: "upload.not_found", retryAfterSeconds: 1 });
  const isOld = await state(Id.ofRequest(1_700_000_000_000, "a")).catch((error) => error);
  expect([isOld.code, isOld.retryAfterSeconds]).toEqual(["upload.not_found", undefined]);
  await Account.markForDeletion("gone");
  const refused = await state(Id.ofRequest(Date.now(), "a")).catch((error) => error);
  expect(refused).toMatchObject({ kind: "conflict", code: "account.deleting" });
});
