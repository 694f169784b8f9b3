import { randomUUID } from "node:crypto";

import * as Bucket from "@balde/core/bucket";
import * as Dynamo from "@balde/core/dynamo";
import * as Image from "@balde/core/image";
import * as ObjectKey from "@balde/core/object-key";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";

import { startCloud } from "../../core/test/cloud.ts";
import { as, expire } from "../../core/test/samples.ts";
import { forward, withTableProxy } from "../../core/test/table-proxy.ts";
import { restEvent } from "../test/rest-event.ts";
import { app } from "./app.ts";
import { serve } from "./rest-event.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
beforeAll(async () => void (cloud = await startCloud()));
afterAll(() => cloud.stop());

const routes = {
  "/v1/uploads": { type: "application/json", status: 201, bytes: undefined },
  "/v1/images": { type: "image/jpeg", status: 202, bytes: 3 },
};
type Route = keyof typeof routes;

/** Creates an image with a name and an idempotency key. */
async function create(route: Route, key: string, name: string, sub = "ann") {
  const isUpload = route === "/v1/uploads";
  const event = restEvent("POST", route, {
    sub,
    headers: { "content-type": routes[route].type, "idempotency-key": key },
    ...(isUpload
      ? { body: { type: "image/jpeg", bytes: 3, name } }
      : { body: new Uint8Array([0xff, 0xd8, 0xff]), query: { name: [name] } }),
  });
  const { statusCode: status, headers = {}, body } = await serve(app)(event);
  // each test narrows what it looks at
  // oxlint-disable-next-line typescript/no-explicit-any
  const answer = JSON.parse(body) as any;
  return {
    status,
    code: answer.code as string | undefined,
    image: (isUpload ? answer.image : answer) as Image.Info,
    upload: answer.upload as { fields: Record<string, string>; expiresAt: string } | undefined,
    isReplayed: headers["idempotency-replayed"] === "true",
  };
}

/** From the `nth` request to the table on, nothing is answered: as if the process had been killed before it, or after it was made. */
async function killAt(nth: number, position: "before" | "after") {
  let requests = 0;
  const isKilled = () => requests > nth;
  const stop = await withTableProxy(async (incoming, response) => {
    requests += 1;
    if (requests >= nth && !(requests === nth && position === "after")) {
      response.destroy();
      return;
    }
    const { status, body } = await forward(incoming);
    if (requests >= nth) response.destroy();
    else response.writeHead(status).end(body);
  });
  return { stop, isKilled };
}

const byRoute = Object.keys(routes) as Route[];

test.each(
  byRoute.flatMap((route) => (["before", "after"] as const).map((at) => [route, at] as const)),
)(
  "POST %s creates one image when its process is killed %s any request to the table and the request is repeated",
  async (route, position) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => {
      vi.restoreAllMocks();
      vi.useRealTimers();
    });
    let wasKilled = true;
    for (let nth = 1; wasKilled; nth++) {
      const [key, name, user] = [randomUUID(), `n${nth}-${randomUUID()}.jpg`, randomUUID()];
      const { stop, isKilled } = await killAt(nth, position);
      const first = await create(route, key, name, user);
      stop();
      wasKilled = isKilled();
      // the process holds the key for 30 seconds
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
      const again = await create(route, key, name, user);
      vi.useRealTimers();

      expect({ nth, status: again.status }).toEqual({ nth, status: routes[route].status });
      const told = first.status < 400 ? [first, again] : [again];
      expect(new Set(told.map(({ image }) => image.id)).size).toBe(1);
      const { items } = await as(user, () => Image.listMine({}));
      expect(items.map(({ id }) => id)).toEqual([again.image.id]);
      const named = await Dynamo.get({ pk: `NAME#${name}`, sk: "NAME" });
      expect(named).toMatchObject({ imageId: again.image.id });
      const stored = await Bucket.read(ObjectKey.upload(again.image.id));
      expect(stored?.length).toBe(routes[route].bytes);
      expect(nth).toBeLessThan(20);
    }
  },
  60_000,
);

test.each(byRoute)("a replay of POST %s returns the image as it is now", async (route) => {
  const [key, name] = [randomUUID(), `${randomUUID()}.jpg`];
  const first = await create(route, key, name);
  await as("ann", () => Image.update({ id: first.image.id, title: "New" }));
  const again = await create(route, key, name);
  expect([first.isReplayed, again.isReplayed]).toEqual([false, true]);
  expect(again).toMatchObject({
    status: routes[route].status,
    image: { id: first.image.id, title: "New" },
  });
});

test("a replay has a form of its own time, which does not outlive the upload", async () => {
  const [key, name] = [randomUUID(), `${randomUUID()}.jpg`];
  const first = await create("/v1/uploads", key, name);
  const { id } = first.image;
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3600_000 });
  const later = await create("/v1/uploads", key, name);
  expect(Date.parse(later.upload!.expiresAt)).toBeGreaterThan(Date.now());
  const end = Math.floor(Date.now() / 1000) + 60;
  await Dynamo.update({ key: { pk: `IMAGE#${id}`, sk: "META" }, set: { expiresAt: end } });
  const last = await create("/v1/uploads", key, name);
  expect(Date.parse(last.upload!.expiresAt)).toBe(end * 1000);
});

test.each(
  byRoute.flatMap((route) => (["deleted", "expired"] as const).map((end) => [route, end] as const)),
)("a replay of POST %s whose image is %s is 410, and creates nothing", async (route, end) => {
  const [key, name, user] = [randomUUID(), `${randomUUID()}.jpg`, randomUUID()];
  const { id } = (await create(route, key, name, user)).image;
  if (end === "deleted") await as(user, () => Image.remove(id));
  else await expire({ pk: `IMAGE#${id}`, sk: "META" });
  for (let n = 0; n < 2; n++)
    expect(await create(route, key, name, user)).toMatchObject({
      status: 410,
      code: "upload.gone",
      upload: undefined,
    });
  // also when the table has removed the row
  await Dynamo.remove({ key: { pk: `IMAGE#${id}`, sk: "META" } });
  expect(await create(route, key, name, user)).toMatchObject({ status: 410, code: "upload.gone" });
  expect((await as(user, () => Image.listMine({}))).items).toEqual([]);
});

test("no row of the table has the signature of a form", async () => {
  const { upload } = await create("/v1/uploads", randomUUID(), `${randomUUID()}.jpg`);
  const signature = upload!.fields["X-Amz-Signature"]!;
  expect(signature).toMatch(/^[0-9a-f]{64}$/);
  for await (const { items } of Dynamo.scan({ filter: "attribute_exists(#pk)", values: {} }))
    expect(JSON.stringify(items)).not.toContain(signature);
});
