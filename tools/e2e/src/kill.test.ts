import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { seedFromEnvironment, seededRandom } from "@balde/faults/random";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, startLocalCloud } from "./stage.ts";
import {
  type Image,
  type UploadForm,
  postForm,
  requestUpload,
  signIn,
  waitForIngest,
} from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

// the local cloud only: a deployed stage has no process group to kill
const skipped = process.env.BALDE_TARGET !== undefined;

/** Each round kills in another part of this time: from before the first byte until some images are ready. */
const KILL_WITHIN_MS = 800;
const ROUNDS = 8;

/** A failure can be repeated with the seed that it prints: `SEED=123 npx pnpm test tools/e2e/src/kill.test.ts`. */
const seed = seedFromEnvironment();

let data: string;
let running: Stage;
let bytes: Uint8Array<ArrayBuffer>;
const acknowledged = new Set<string>();

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "balde-kill-"));
  bytes = new Uint8Array(await sampleJpeg(1600, 1067));
  if (!skipped) running = await startLocalCloud(data);
});

afterAll(async () => {
  await running?.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Posts forms one after another until the cloud is gone, and records the ones that S3 acknowledged. */
async function postUntilKilled(forms: UploadForm[]) {
  try {
    for (const { image, upload } of forms) {
      const { status } = await postForm(upload, bytes, "image/jpeg");
      if (status === 201) acknowledged.add(image.id);
    }
  } catch {
    // the connection broke, so this upload was not acknowledged
  }
}

/** Returns one random moment in each of `ROUNDS` equal parts of the time, in random order. */
function killMoments(): number[] {
  const random = seededRandom(seed);
  const moments = Array.from(
    { length: ROUNDS },
    (_, round) => ((round + random()) / ROUNDS) * KILL_WITHIN_MS,
  );
  return moments
    .map((ms) => ({ ms, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ ms }) => ms);
}

test.skipIf(skipped)(
  `a SIGKILL at ${ROUNDS} moments loses no image that S3 had acknowledged (SEED=${seed})`,
  { timeout: 300_000 },
  async () => {
    for (const [round, killAfterMs] of killMoments().entries()) {
      const user = await signIn(running.local, round % 2);
      const forms: UploadForm[] = [];
      for (let each = 0; each < 6; each++) forms.push(await requestUpload(user, bytes));
      const posting = [postUntilKilled(forms.slice(0, 3)), postUntilKilled(forms.slice(3))];
      await wait(killAfterMs);
      await running.kill();
      await Promise.all(posting);
      running = await startLocalCloud(data);
    }
    expect(acknowledged.size).toBeGreaterThan(ROUNDS);

    const images: Image[] = [];
    for (const id of acknowledged) images.push(await waitForIngest(running.local, id, 60_000));
    expect(images.filter((image) => image.state !== "ready")).toEqual([]);

    const [last] = images.slice(-1);
    const delivered = await fetch(`${running.local.api}/i/${last!.id}/${last!.rev}?w=64`);
    expect(delivered.status).toBe(200);
  },
);
