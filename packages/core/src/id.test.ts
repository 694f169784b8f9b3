import { expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod/mini";

import * as Id from "./id.ts";

test("a new id fits its schema and has the time of its creation", () => {
  vi.useFakeTimers({ now: 1_800_000_000_123 });
  onTestFinished(() => void vi.useRealTimers());
  const id = Id.create("image");
  expect(z.parse(Id.ImageId, id)).toBe(id);
  expect(Id.timestampMs(id)).toBe(1_800_000_000_123);
});

test.each([
  "",
  "img_",
  "01KAJ0000000000000000000AA",
  "img_01kaj0000000000000000000aa",
  "img_01KAJ0000000000000000000A",
  "img_81KAJ0000000000000000000AA",
  "img_01KAJ0000000000000000000AAA",
  "img_01KAJ0000000000000000000AA\n",
  "col_01KAJ0000000000000000000AA",
])("%j is not the id of an image", (text) => {
  expect(z.safeParse(Id.ImageId, text).success).toBe(false);
});

test("a derived id has its time, and depends on the seed alone", () => {
  const id = Id.derive("image", 1_800_000_000_000, "an event");
  expect(z.parse(Id.ImageId, id)).toBe(id);
  expect(Id.timestampMs(id)).toBe(1_800_000_000_000);
  expect(Id.derive("image", 1_800_000_000_000, "an event")).toBe(id);
  expect(Id.derive("image", 1_800_000_000_000, "another event")).not.toBe(id);
});
