import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import {
  AdminDeleteUserCommand,
  CognitoIdentityProviderClient,
  DeleteUserCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";
import { type Cloud, loadGraph, startCloud } from "@balde/local-cloud";
import { AwsClient } from "aws4fetch";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { pollUntil, requestUpload, send, signIn, upload, waitForIngest } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";
import type { Local } from "./stage.ts";

// Of what is deleted nothing is left: every version of every object in the bucket and every row of the table is listed.

/** As long as the last command to erase is delayed (packages/functions/src/outbox/handler.ts). */
const LAST_SYNC_MS = 120_000;
const DAY_MS = 24 * 3600 * 1000;

vi.setConfig({ testTimeout: 90_000 });

const root = resolve(import.meta.dirname, "../../..");
const data = mkdtempSync(join(tmpdir(), "balde-erase-"));
let cloud: Cloud;
let local: Local;

beforeAll(async () => {
  cloud = await startCloud({ graph: loadGraph(join(root, "infra/stack.json")), root, data });
  const users = ["ann", "bo", "cy", "di"].map((name) => ({ name, password: "Picture-book-1" }));
  for (const user of users) cloud.createUser({ ...user, email: `${user.name}@example.com` });
  local = { ...cloud.local, users } as unknown as Local;
});

afterAll(async () => {
  await cloud?.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Everything in bucket and table that contains one of these texts: keys of object versions, and rows. */
async function findAll(...texts: string[]) {
  const { iam, region } = cloud.local;
  const config = { region, credentials: iam };
  const s3 = new S3Client({
    ...config,
    endpoint: cloud.local.s3!.endpoint,
    forcePathStyle: true,
  });
  const dynamodb = new DynamoDBClient({ ...config, endpoint: cloud.local.dynamodb!.endpoint });
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: cloud.local.s3!.bucket }),
  );
  const { Items = [] } = await dynamodb.send(
    new ScanCommand({ TableName: cloud.local.dynamodb!.table, ConsistentRead: true }),
  );
  return {
    objects: [...Versions, ...DeleteMarkers]
      .map(({ Key }) => Key!)
      .filter((key) => texts.some((text) => key.includes(text))),
    rows: Items.filter((item) => texts.some((text) => JSON.stringify(item).includes(text))),
  };
}

/** What is left when the last command was worked on: the tombstones of these images and the mark of a deleted user. */
async function leftovers(...texts: string[]) {
  await cloud.clock.advance(LAST_SYNC_MS);
  const isAllowed = ({ pk, sk, state }: Record<string, { S?: string }>) =>
    (sk?.S === "META" && state?.S === "deleted") || pk?.S?.startsWith("USER#");
  return pollUntil(
    20_000,
    async () => {
      const { objects, rows } = await findAll(...texts);
      return [...objects, ...rows.filter((row) => !isAllowed(row))];
    },
    (left) => left.length === 0,
  );
}

test("an image that is deleted while it is uploaded, viewed and liked leaves a tombstone only", async () => {
  const [ann, bo] = [await signIn(local, 0), await signIn(local, 1)];
  const bytes = new Uint8Array(await sampleJpeg(1200, 900, 1));
  const ids: string[] = [];
  for (let round = 0; round < 4; round++) {
    const form = await upload(ann, bytes, { name: `gone-${round}.jpg`, title: "Erased-title" });
    const { id, rev } = await waitForIngest(local, form.image.id);
    ids.push(id);
    const views = [160, 240, 320, 480].map((w) =>
      send(local, "GET", `/i/${id}/${rev}?w=${w}&f=webp&blur=${round + 1}`),
    );
    const like = bo.send("PUT", `/v1/images/${id}/like`);
    expect((await ann.send("DELETE", `/v1/images/${id}`)).status).toBe(202);
    await Promise.all([...views, like]);
  }
  const uploading = await upload(ann, bytes, { name: "gone-early.jpg" });
  await ann.send("DELETE", `/v1/images/${uploading.image.id}`);
  ids.push(uploading.image.id);
  expect(await leftovers(...ids, "gone-", "Erased-title")).toEqual([]);
  // the names are free
  for (const name of ["gone-0.jpg", "gone-early.jpg"])
    expect((await requestUpload(bo, bytes, { name })).image.name).toBe(name);
});

test("an operator takes an image down as its owner would", async () => {
  const ann = await signIn(local, 0);
  const operator = new AwsClient({
    ...cloud.local.iam,
    region: cloud.local.region,
    service: "execute-api",
    retries: 0,
  });
  const takeDown = async (id: string) =>
    (await operator.fetch(`${local.api}/admin/v1/images/${id}`, { method: "DELETE" })).status;
  const bytes = new Uint8Array(await sampleJpeg(300, 200, 2));
  const { image } = await upload(ann, bytes, { name: "taken-down.jpg" });
  await waitForIngest(local, image.id);
  expect(await takeDown(image.id)).toBe(202);
  expect((await send(local, "GET", `/v1/images/${image.id}`)).status).toBe(404);
  expect(await takeDown(image.id)).toBe(202);
  expect(await leftovers(image.id, "taken-down")).toEqual([]);
  expect(await takeDown("img_01ARZ3NDEKTSV4RRFFQ69G5FAV")).toBe(404);
});

test("a deleted account takes its images, likes, stored responses and sign-in with it, and nothing of others", async () => {
  const [ann, bo] = [await signIn(local, 0), await signIn(local, 1)];
  const bytes = new Uint8Array(await sampleJpeg(300, 200, 3));
  const { image: annsImage } = await upload(ann, bytes, { name: "of-ann.jpg" });
  await waitForIngest(local, annsImage.id);
  const mine = ((await (await bo.send("GET", "/v1/me")).json()) as { id: string }).id;
  const ids = [];
  for (const visibility of ["public", "private"]) {
    const { image } = await upload(bo, bytes, { name: `of-bo-${visibility}.jpg`, visibility });
    ids.push(image.id);
    const state = async () =>
      ((await (await bo.send("GET", `/v1/uploads/${image.id}`)).json()) as { state: string }).state;
    expect(await pollUntil(20_000, state, (now) => now === "ready")).toBe("ready");
  }
  await bo.send(
    "POST",
    "/v1/uploads",
    { type: "image/jpeg", bytes: 9 },
    { "idempotency-key": "of-bo" },
  );
  expect((await bo.send("PUT", `/v1/images/${annsImage.id}/like`)).status).toBe(200);
  const likes = async () =>
    ((await (await send(local, "GET", `/v1/images/${annsImage.id}`)).json()) as { likes: number })
      .likes;
  expect(await pollUntil(20_000, likes, (count) => count === 1)).toBe(1);

  const answer = await bo.send("DELETE", "/v1/me");
  expect([answer.status, await answer.json()]).toEqual([202, { id: mine, state: "deleting" }]);
  expect(await pollUntil(20_000, likes, (count) => count === 0), "likes").toBe(0);
  await expect(signIn(local, 1)).rejects.toThrow(/NotAuthorized/);
  expect(await leftovers(...ids, mine, "of-bo")).toEqual([]);

  // a token that is still valid adds a like; a day later it is gone, and the mark, too
  await bo.send("PUT", `/v1/images/${annsImage.id}/like`);
  expect((await findAll(mine)).rows.length).toBeGreaterThan(0);
  await cloud.clock.advance(DAY_MS);
  const left = await pollUntil(
    20_000,
    async () => (await findAll(`LIKER#${mine}`, `USER#${mine}`)).rows,
    (rows) => rows.length === 0,
  );
  expect(left).toEqual([]);
  expect((await findAll("of-ann.jpg")).objects).toContain("images/of-ann.jpg");
});

test.each([
  ["itself", 2],
  ["by an administrator", 3],
])("a user that is deleted in the user pool %s takes its images with it", async (how, index) => {
  const user = await signIn(local, index);
  const bytes = new Uint8Array(await sampleJpeg(300, 200, 4 + index));
  const { image } = await upload(user, bytes, { name: `of-${index}.jpg` });
  await waitForIngest(local, image.id);
  const { id } = (await (await user.send("GET", "/v1/me")).json()) as { id: string };
  const { cognito, iam, region } = cloud.local;
  const { endpoint, userPoolId } = cognito!;
  const pools = new CognitoIdentityProviderClient({ endpoint, region, credentials: iam });
  const Username = local.users[index]!.name;
  await (how === "itself"
    ? pools.send(new DeleteUserCommand({ AccessToken: user.accessToken }))
    : pools.send(new AdminDeleteUserCommand({ UserPoolId: userPoolId, Username })));
  const status = async () => (await send(local, "GET", `/v1/images/${image.id}`)).status;
  expect(await pollUntil(20_000, status, (now) => now === 404)).toBe(404);
  expect(await leftovers(image.id, id, `of-${index}`)).toEqual([]);
});
