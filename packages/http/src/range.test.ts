import { expect, test } from "vitest";

import * as Range from "./range.ts";

const data = Buffer.from("0123456789");
const sliced = (header: string) => {
  const { body, contentRange } = Range.slice(data, Range.parse(header));
  return [body.toString(), contentRange];
};

test.each([
  ["bytes=0-3", "0123", "bytes 0-3/10"],
  ["bytes=8-", "89", "bytes 8-9/10"],
  ["bytes=-3", "789", "bytes 7-9/10"],
  ["bytes=-99", "0123456789", "bytes 0-9/10"],
  ["bytes=5-99", "56789", "bytes 5-9/10"],
  ["bytes=9-9", "9", "bytes 9-9/10"],
])("%s is a part", (header, body, contentRange) => {
  expect(sliced(header)).toEqual([body, contentRange]);
});

test.each(["bytes=-", "bytes=0-1,4-5", "bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=1x-2", ""])(
  "%s is ignored, and the response has the whole",
  (header) => expect(sliced(header)).toEqual(["0123456789", undefined]),
);

test.each(["bytes=10-", "bytes=10-20", "bytes=-0"])("%s is not satisfiable", (header) => {
  expect(() => sliced(header)).toThrow(Range.RangeNotSatisfiable);
});

test("no range of nothing is satisfiable", () => {
  expect(() => Range.slice(Buffer.alloc(0), { from: 0 })).toThrow(Range.RangeNotSatisfiable);
});

test("a printed range is the header that it was parsed from", () => {
  for (const header of ["bytes=0-3", "bytes=8-", "bytes=-3"])
    expect(Range.print(Range.parse(header)!)).toBe(header);
});
