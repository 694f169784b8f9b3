import { expect, test } from "vitest";

import * as Range from "./range.ts";

const etag = '"1a2b3c4d5e6f-00"';
const data = Buffer.from("0123456789");
const answered = (range: string, ifRange?: string) => {
  const { body, contentRange } = Range.part(data, Range.read(range, ifRange, etag));
  return [body.toString(), contentRange];
};

test.each([
  ["bytes=0-3", "0123", "bytes 0-3/10"],
  ["bytes=8-", "89", "bytes 8-9/10"],
  ["bytes=-3", "789", "bytes 7-9/10"],
  ["bytes=-99", "0123456789", "bytes 0-9/10"],
  ["bytes=5-99", "56789", "bytes 5-9/10"],
  ["bytes=9-9", "9", "bytes 9-9/10"],
])("%s is a part", (range, body, contentRange) => {
  expect(answered(range)).toEqual([body, contentRange]);
});

test.each(["bytes=-", "bytes=0-1,4-5", "bytes=5-2", "lines=1-2", "bytes=a-b", ""])(
  "%s is not understood, so the whole is answered",
  (range) => expect(answered(range)).toEqual(["0123456789", undefined]),
);

test.each(["bytes=10-", "bytes=10-20", "bytes=-0"])("%s lies outside", (range) => {
  expect(() => answered(range)).toThrow(Range.Outside);
});

test("If-Range gives the part only of the same bytes", () => {
  expect(answered("bytes=0-3", etag)[0]).toBe("0123");
  expect(answered("bytes=0-3", '"other"')[0]).toBe("0123456789");
  expect(answered("bytes=0-3", `W/${etag}`)[0]).toBe("0123456789");
  expect(answered("bytes=0-3", "Wed, 21 Oct 2026 07:28:00 GMT")[0]).toBe("0123456789");
});

test("what is printed for the bucket is what was read", () => {
  for (const range of ["bytes=0-3", "bytes=8-", "bytes=-3"])
    expect(Range.print(Range.read(range, undefined, etag)!)).toBe(range);
});
