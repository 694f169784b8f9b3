import { afterAll, beforeAll, expect, test } from "vitest";

import { type Image, type User, send } from "../../e2e/src/api-calls.ts";
import { sampleJpeg } from "../../e2e/src/sample-image.ts";
import { imagesOf } from "./audit.ts";
import { converge } from "./converge.ts";
import type { Kind } from "./fault-proxy.ts";
import { type Balde, startBalde } from "./start-balde.ts";

// Every call to S3, SQS and DynamoDB that a command makes fails once, in turn, as often as its caller tries it. The images of
// all positions are changed at the same time.

let balde: Balde;
let owner: User;
let bytes: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  balde = await startBalde(1);
  owner = balde.users[0]!;
  bytes = new Uint8Array(await sampleJpeg(48, 32));
});
afterAll(() => balde?.stop());

type Command = {
  name: string;
  /** Puts the images into the state that the command starts from. */
  prepare?: (images: Image[]) => Promise<unknown>;
  /** Returns the status. A client repeats a request that was not answered, or with 5xx. */
  run: (image: Image) => Promise<number>;
  /** The states and visibilities in which the image must end. */
  end: string;
};

const patch = ({ id }: Image, visibility: string) =>
  owner.send("PATCH", `/v1/images/${id}`, { visibility }, { "if-match": "*" });

const commands: Command[] = [
  {
    name: "hiding",
    run: async (image) => (await patch(image, "private")).status,
    end: "ready private",
  },
  {
    name: "deleting",
    run: async ({ id }) => (await owner.send("DELETE", `/v1/images/${id}`)).status,
    end: "deleted undefined",
  },
  {
    name: "reprocessing",
    // as if a process had stored the copy of an image that was hidden meanwhile, and was killed
    prepare: async (images) => {
      for (const image of images) await patch(image, "private");
      await converge(balde, 30_000);
      for (const { id, name } of images)
        await balde.stores.putObject(`images/${name}`, "left", { image: id, rev: "0" });
    },
    run: async ({ id }) => (await balde.admin("POST", "/reprocess", { imageId: id })).status,
    end: "ready private",
  },
];

async function create(name: string): Promise<Image> {
  const path = `/v1/images?name=${name}`;
  const created = await owner.send("POST", path, bytes, { "content-type": "image/jpeg" });
  expect(created.status).toBeLessThan(300);
  return { ...((await created.json()) as Image), name };
}

async function runLikeClient({ run }: Command, image: Image): Promise<number> {
  let status = 0;
  for (let attempt = 0; attempt < 5; attempt++) {
    status = await run(image);
    if (status < 500) return status;
  }
  return status;
}

const about = ({ id, name }: Image) => new RegExp(`${id}|\\b${name}`);

test.each(commands)(
  "when any call of $name fails, the end is right",
  { timeout: 120_000 },
  async (command) => {
    const { proxy } = balde;
    const verb = command.name;
    // without faults: how many calls are there?
    const sample = await create(`${verb}.jpg`);
    await converge(balde, 30_000);
    await command.prepare?.([sample]);
    proxy.forget();
    await runLikeClient(command, sample);
    await converge(balde, 30_000);
    const positions = proxy.calls({ key: about(sample) }).length;
    expect(positions).toBeGreaterThan(5);

    const cases = (["error500", "lostAnswer"] as Kind[]).flatMap((kind) =>
      Array.from({ length: positions }, (_, index) => ({ kind, n: index + 1 })),
    );
    const images: Image[] = [];
    for (const { kind, n } of cases) images.push(await create(`${verb}-${kind}-${n}.jpg`));
    await converge(balde, 60_000);
    await command.prepare?.(images);
    proxy.forget();
    for (const [index, { kind, n }] of cases.entries())
      proxy.failNth({ key: about(images[index]!) }, n, { kind }, 3);
    const statuses = await Promise.all(images.map((image) => runLikeClient(command, image)));
    const { contradictions, deadLetters } = await converge(balde, 60_000);
    proxy.clear();

    const rows = imagesOf(await balde.stores.rows());
    const ends = images.map(({ id, name }) => {
      const { state, visibility } = rows.get(id) ?? {};
      return `${name} ${state} ${visibility}`;
    });
    // a repeated DELETE finds nothing to delete
    expect(statuses.filter((status) => status >= 300 && status !== 404)).toEqual([]);
    expect(ends).toEqual(images.map(({ name }) => `${name} ${command.end}`));
    expect({ contradictions, deadLetters }).toEqual({ contradictions: [], deadLetters: 0 });
    for (const { name } of images)
      expect((await send(balde.local, "GET", `/s3?image=${name}`)).status).toBe(404);
    const injected = proxy.calls().filter(({ fault }) => fault).length;
    console.log(`${verb}: ${positions} calls, ${cases.length} cases, ${injected} faults`);
    expect(injected).toBeGreaterThan(cases.length);
  },
);
