import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Balde, start } from "./balde.ts";
import { type Image, type Person, settled, signIn, upload } from "./person.ts";
import { jpeg } from "./picture.ts";

// the laptop only: a deployed stage has no process group to kill
const skipped = process.env.BALDE_TARGET !== undefined;

let data: string;
let running: Balde;
let picture: Uint8Array<ArrayBuffer>;
const acknowledged = new Set<string>();

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "balde-kill-"));
  picture = new Uint8Array(await jpeg(1600, 1067));
  if (!skipped) running = await start(data);
});

afterAll(async () => {
  await running?.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Uploads until the cloud is gone; remembers what S3 had acknowledged. */
async function uploadUntilKilled(person: Person) {
  try {
    for (;;) {
      const { image, stored } = await upload(person, picture);
      if (stored.status === 201) acknowledged.add(image.id);
    }
  } catch {
    // the connection broke: nothing was acknowledged for this one
  }
}

test.skipIf(skipped)(
  "kill -9 at twenty random moments loses no picture that S3 had acknowledged",
  { timeout: 300_000 },
  async () => {
    for (let round = 0; round < 20; round++) {
      const person = await signIn(running.local, round % 2);
      const uploads = [uploadUntilKilled(person), uploadUntilKilled(person)];
      await wait(20 + Math.random() * 500);
      await running.kill();
      await Promise.all(uploads);
      running = await start(data);
    }
    expect(acknowledged.size).toBeGreaterThan(20);

    const images: Image[] = [];
    for (const id of acknowledged) images.push(await settled(running.local, id, 60_000));
    expect(images.filter((image) => image.state !== "ready")).toEqual([]);

    const [last] = images.slice(-1);
    const delivered = await fetch(`${running.local.api}/i/${last!.id}/${last!.rev}?w=64`);
    expect(delivered.status).toBe(200);
  },
);
