import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { type Image, send, waitForIngest, signIn, upload } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

let stage: Stage;
let image: Image;

beforeAll(async () => {
  stage = await openStage();
  const ann = await signIn(stage.local, 0);
  const sent = await upload(ann, new Uint8Array(await sampleJpeg(2800, 1900, 61)));
  image = await waitForIngest(stage.local, sent.image.id);
});

afterAll(() => stage?.stop());

test.each(["w=1600&f=avif", "w=1601&f=avif", "w=1500&f=webp"])(
  "fifty concurrent first requests for %s cause one render across all processes",
  async (query) => {
    const all = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const answer = await send(stage.local, "GET", `/i/${image.id}/${image.rev}?${query}`);
        const { byteLength } = await answer.arrayBuffer();
        const isRendered = answer.headers.get("server-timing")!.includes("render;");
        return { status: answer.status, byteLength, isRendered };
      }),
    );
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(all.map(({ byteLength }) => byteLength)).size).toBe(1);
    expect(all.filter(({ isRendered }) => isRendered).length).toBe(1);
  },
);
