import { assert, integer, property, string } from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";

import * as Cursor from "./cursor.ts";

beforeAll(() => {
  process.env["SST_RESOURCE_App"] = "{}";
  process.env["SST_RESOURCE_Keys"] = JSON.stringify({ cursor: "a secret of tests" });
});

const refused = expect.objectContaining({ kind: "invalid", code: "cursor.invalid" });

test("a cursor leads back to the place it was written for", () => {
  assert(
    property(string(), string({ maxLength: 60, unit: "grapheme-ascii" }), (list, after) => {
      const cursor = Cursor.write(list, after);
      expect(cursor.length).toBeLessThanOrEqual(512);
      expect(Cursor.read(list, cursor)).toBe(after);
    }),
  );
});

test("a cursor in which any character is another one, is missing or is added is refused", () => {
  const cursor = Cursor.write("images", "img_01KAJ0000000000000000000AA");
  assert(
    property(
      integer({ min: 0, max: cursor.length - 1 }),
      integer({ min: 1, max: 63 }),
      (at, by) => {
        const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const letter = letters[(letters.indexOf(cursor[at]!) + by) % 64];
        const [before, after] = [cursor.slice(0, at), cursor.slice(at + 1)];
        for (const forged of [
          before + letter + after,
          before + after,
          cursor + letter,
          `${cursor}=`,
        ])
          expect(() => Cursor.read("images", forged)).toThrow(refused);
      },
    ),
  );
});

test.each(["", "forged", "AAAA", "%", "=", "🐟"])("%j is not a cursor", (text) => {
  expect(() => Cursor.read("images", text)).toThrow(refused);
});

test("a cursor is good for its own list only, and for a day", () => {
  const cursor = Cursor.write("images of ann", "x");
  expect(() => Cursor.read("images of bo", cursor)).toThrow(refused);
  vi.useFakeTimers({ now: Date.now() + 23 * 3600 * 1000 });
  expect(Cursor.read("images of ann", cursor)).toBe("x");
  vi.useFakeTimers({ now: Date.now() + 2 * 3600 * 1000 });
  expect(() => Cursor.read("images of ann", cursor)).toThrow(refused);
  vi.useRealTimers();
});
