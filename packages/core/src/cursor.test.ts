import { assert, integer, property, string } from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";

import * as Cursor from "./cursor.ts";

beforeAll(() => {
  process.env["SST_RESOURCE_App"] = "{}";
  process.env["SST_RESOURCE_Keys"] = JSON.stringify({ cursor: "a secret of tests" });
});

const invalid = expect.objectContaining({ kind: "invalid", code: "cursor.invalid" });

test("a cursor has the position that it was made of, in at most 512 characters", () => {
  assert(
    property(string(), string({ maxLength: 60, unit: "grapheme-ascii" }), (list, position) => {
      const cursor = Cursor.encode(list, position);
      expect(cursor.length).toBeLessThanOrEqual(512);
      expect(Cursor.decode(list, cursor)).toBe(position);
    }),
  );
});

test("a cursor with one character changed, removed or added is invalid", () => {
  const cursor = Cursor.encode("images", "img_01KAJ0000000000000000000AA");
  assert(
    property(
      integer({ min: 0, max: cursor.length - 1 }),
      integer({ min: 1, max: 63 }),
      (at, offset) => {
        const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const letter = letters[(letters.indexOf(cursor[at]!) + offset) % 64];
        const [before, after] = [cursor.slice(0, at), cursor.slice(at + 1)];
        for (const changed of [
          before + letter + after,
          before + after,
          cursor + letter,
          `${cursor}=`,
        ])
          expect(() => Cursor.decode("images", changed)).toThrow(invalid);
      },
    ),
  );
});

test.each(["", "forged", "AAAA", "%", "=", "🐟"])("%j is not a cursor", (text) => {
  expect(() => Cursor.decode("images", text)).toThrow(invalid);
});

test("a cursor is valid for its own list only, and for a day", () => {
  const cursor = Cursor.encode("images of ann", "x");
  expect(() => Cursor.decode("images of bo", cursor)).toThrow(invalid);
  vi.useFakeTimers({ now: Date.now() + 23 * 3600 * 1000 });
  expect(Cursor.decode("images of ann", cursor)).toBe("x");
  vi.useFakeTimers({ now: Date.now() + 2 * 3600 * 1000 });
  expect(() => Cursor.decode("images of ann", cursor)).toThrow(invalid);
  vi.useRealTimers();
});
