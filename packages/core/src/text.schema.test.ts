import { assert, oneof, property, string } from "fast-check";
import { expect, test } from "vitest";

import { Alt, Tag, Tags, Title } from "./image.schema.ts";
import { FileName, MAX_FILE_NAME } from "./text.schema.ts";

const decomposed = "fe\u0301rias";
const composed = "f\u00e9rias";

test.each([
  ["IMG_0001.jpg", "IMG_0001.jpg"],
  [`${decomposed} na praia.jpg`, `${composed} na praia.jpg`],
  ["C:\\fakepath\\a b.png", "a b.png"],
  ["holiday/2026\\last/x.png", "x.png"],
  ["写真 (2).heic", "写真 (2).heic"],
  ["تعطیلات.jpg", "تعطیلات.jpg"],
  ["a\u0000b\r\nc\u007f\u0085d\u2028e.jpg", "abcde.jpg"],
  ["gpj.\u202egnp.exe", "gpj.gnp.exe"],
  ["\u2066a\u2069\u200f.jpg", "a.jpg"],
  ["👩\u200d👩\u200d👧.png", "👩\u200d👩\u200d👧.png"],
  ["a\ud800b\udc00.jpg", "ab.jpg"],
  ["  x.jpg ", "x.jpg"],
  ['"quoted" %41;=.jpg', '"quoted" %41;=.jpg'],
  ["", ""],
  ["folder/", ""],
  ["..", ""],
  ["\u202e", ""],
])("the file name %j is stored as %j", (text, stored) => {
  expect(FileName.parse(text)).toBe(stored);
});

test("a long file name is cut between two characters as a reader sees them", () => {
  const family = "👩\u200d👩\u200d👧\u200d👦";
  expect(FileName.parse("a".repeat(300))).toBe("a".repeat(MAX_FILE_NAME));
  expect(FileName.parse("a".repeat(254) + "😀.jpg")).toBe("a".repeat(254));
  expect(FileName.parse("a".repeat(250) + family)).toBe("a".repeat(250));
  expect(FileName.parse("a".repeat(254) + "x\u0323b")).toBe("a".repeat(254));
  // 510 units, and 255 when they are composed
  expect(FileName.parse("e\u0301".repeat(255))).toBe("\u00e9".repeat(255));
  const oneCharacter = `a${"\u0301".repeat(300)}`;
  expect(FileName.parse(oneCharacter)).toHaveLength(MAX_FILE_NAME);
});

test("every text is a file name, and its stored form stays as it is", () => {
  const texts = oneof(
    string({ unit: "binary", maxLength: 600 }),
    string({ unit: "grapheme", maxLength: 600 }),
  );
  assert(
    property(texts, (text) => {
      const name = FileName.parse(text);
      expect(name.length).toBeLessThanOrEqual(MAX_FILE_NAME);
      expect(name.isWellFormed()).toBe(true);
      expect(name).not.toMatch(/[\p{Cc}/\\\u202a-\u202e\u2066-\u2069]/u);
      expect(FileName.parse(name)).toBe(name);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test.each([
  ["title", Title],
  ["alternative text", Alt],
  ["tag", Tag],
])("a %s is stored in NFC", (_, schema) => {
  expect(schema.parse(decomposed)).toBe(composed);
  expect(schema.parse(composed)).toBe(composed);
});

test("a tag in NFC stays as it is, whatever letters it has", () => {
  const tags = string({ unit: "grapheme", maxLength: 20 })
    .map((text) => Tag.safeParse(text).data)
    .filter((tag) => tag !== undefined);
  assert(
    property(tags, (tag) => Tag.parse(tag) === tag),
    { seed: 1, numRuns: 300 },
  );
  // the capital has no composed form, the small letter has
  expect(Tag.parse("J\u030c")).toBe("\u01f0");
});

test("the lengths of texts count composed characters", () => {
  expect(Title.parse("e\u0301".repeat(200))).toHaveLength(200);
  expect(Tag.parse("e\u0301".repeat(50))).toHaveLength(50);
  for (const [schema, length] of [
    [Title, 201],
    [Tag, 51],
  ] as const)
    expect(schema.safeParse("e\u0301".repeat(length)).success).toBe(false);
});

// its conversion would be quadratic: minutes
test("a text of a million combining marks is refused, or cut, without being converted", () => {
  const marks = "\u0301\u0323".repeat(500_000);
  for (const schema of [Title, Alt, Tag]) expect(schema.safeParse(`a${marks}`).success).toBe(false);
  expect(FileName.parse(`a${marks}`)).toHaveLength(MAX_FILE_NAME);
});

test("each tag is kept once, however it is spelt", () => {
  expect(Tags.parse(["Sea", "sea", composed, decomposed, "sky"])).toEqual(["sea", composed, "sky"]);
});
