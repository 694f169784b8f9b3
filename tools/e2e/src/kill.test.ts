import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, startLocalCloud } from "./stage.ts";
import {
  type UploadForm,
  type Image,
  requestUpload,
  postForm,
  waitForIngest,
  signIn,
} from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

// the laptop only: a deployed stage has no process group to kill
const skipped = process.env.BALDE_TARGET !== undefined;

let data: string;
let running: Stage;
let picture: Uint8Array<ArrayBuffer>;
const acknowledged = new Set<string>();

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "balde-kill-"));
  picture = new Uint8Array(await sampleJpeg(1600, 1067));
  if (!skipped) running = await startLocalCloud(data);
});

afterAll(async () => {
  await running?.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Posts one form after the other until the cloud is gone; remembers what S3 had acknowledged. */
async function postUntilKilled(forms: UploadForm[]) {
  try {
    for (const { image, upload } of forms) {
      const { status } = await postForm(upload, picture, "image/jpeg");
      if (status === 201) acknowledged.add(image.id);
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
      const forms: UploadForm[] = [];
      for (let each = 0; each < 6; each++) forms.push(await requestUpload(person, picture));
      const posting = [postUntilKilled(forms.slice(0, 3)), postUntilKilled(forms.slice(3))];
      // from before the first byte has arrived until some are being worked on and some are ready
      await wait(Math.random() * 800);
      await running.kill();
      await Promise.all(posting);
      running = await startLocalCloud(data);
    }
    expect(acknowledged.size).toBeGreaterThan(20);

    const images: Image[] = [];
    for (const id of acknowledged) images.push(await waitForIngest(running.local, id, 60_000));
    expect(images.filter((image) => image.state !== "ready")).toEqual([]);

    const [last] = images.slice(-1);
    const delivered = await fetch(`${running.local.api}/i/${last!.id}/${last!.rev}?w=64`);
    expect(delivered.status).toBe(200);
  },
);
