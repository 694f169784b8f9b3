import { randomBytes } from "node:crypto";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { type Image, send, waitForIngest, signIn, upload } from "./api-calls.ts";

let stage: Stage;
let image: Image;

beforeAll(async () => {
  stage = await openStage();
  const ann = await signIn(stage.local, 0);
  // noise, which no format compresses
  const [width, height] = [2800, 2500];
  const raw = { width, height, channels: 3 } as const;
  const bytes = await sharp(randomBytes(width * height * 3), { raw })
    .jpeg({ quality: 95 })
    .toBuffer();
  const sent = await upload(ann, new Uint8Array(bytes));
  image = await waitForIngest(stage.local, sent.image.id);
});

afterAll(() => stage?.stop());

test("an image of 20 MB, three times the limit of a buffered Lambda response, is streamed completely", async () => {
  for (const source of ["rendered", "stored"]) {
    const answer = await send(stage.local, "GET", `/i/${image.id}/${image.rev}?f=png&w=2800`);
    expect([source, answer.status]).toEqual([source, 200]);
    expect(answer.headers.get("content-type")).toBe("image/png");
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body!) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    expect(bytes.length).toBeGreaterThan(20_000_000);
    expect(pieces.length).toBeGreaterThan(10);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "png", width: 2800 });
  }
});
