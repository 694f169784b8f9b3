import * as Plan from "@balde/imaging/plan";
import { expect, test, vi } from "vitest";

import * as ResponseHeaders from "./response-headers.ts";

const source = { width: 100, height: 80, format: "jpeg", hasAlpha: false, pages: 1 } as const;
const jpeg = Plan.plan({ f: "jpeg" }, source, { avif: false, webp: false });
const webp = Plan.plan({ f: "webp" }, source, { avif: false, webp: false });

const rev = "1a2b3c4d5e6f";

test.each([
  [
    "an image with its revision is cached for a year",
    { rev },
    "public, max-age=31536000, immutable",
  ],
  [
    "a preset is cached for a day, because the next deployment may change it",
    { rev, preset: "a" },
    "public, max-age=86400",
  ],
  ["an image without a revision is cached for a minute", {}, "public, max-age=60, must-revalidate"],
  ["so is a preset without a revision", { preset: "a" }, "public, max-age=60, must-revalidate"],
])("%s", (_, address, control) =>
  expect(ResponseHeaders.caching({ ...address, isPublic: true }, {})["Cache-Control"]).toBe(
    control,
  ),
);

test.each([
  ["for as long as its signature is valid", { rev, isPublic: false }, 100, "private, max-age=100"],
  ["for a minute at most without a revision", { isPublic: false }, 100, "private, max-age=60"],
  ["not at all when the signature has expired", { rev, isPublic: false }, -1, "private, max-age=0"],
  [
    "by shared caches too if the image is public",
    { rev, isPublic: true },
    100,
    "public, max-age=100",
  ],
])("an image with a signature is cached %s", (_, address, seconds, control) => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  const expiresAt = 1_800_000_000 + seconds;
  const headers = ResponseHeaders.caching({ ...address, expiresAt }, {});
  vi.useRealTimers();
  expect(headers["Cache-Control"]).toBe(`${control}, must-revalidate`);
});

test("a response varies by Accept only if the format does", () => {
  const address = { rev, isPublic: true };
  expect(ResponseHeaders.caching(address, {})["Vary"]).toBe("Accept");
  expect(ResponseHeaders.caching(address, { f: "auto" })["Vary"]).toBe("Accept");
  expect(ResponseHeaders.caching(address, { f: "webp" })["Vary"]).toBeUndefined();
});

const image = { id: "img_1", fileName: undefined };

test.each([
  ["holiday", `attachment; filename="holiday.webp"; filename*=UTF-8''holiday.webp`],
  ["a.WEBP", `attachment; filename="a.WEBP"; filename*=UTF-8''a.WEBP`],
  ["photo.jpeg", `attachment; filename="photo.webp"; filename*=UTF-8''photo.webp`],
  ["a.b.TIFF", `attachment; filename="a.b.webp"; filename*=UTF-8''a.b.webp`],
  ["v1.2", `attachment; filename="v1.2.webp"; filename*=UTF-8''v1.2.webp`],
  [".jpg", `attachment; filename=".jpg.webp"; filename*=UTF-8''.jpg.webp`],
  ["1", `attachment; filename="img_1.webp"; filename*=UTF-8''img_1.webp`],
  ["Müll (1)", `attachment; filename="Mull (1).webp"; filename*=UTF-8''M%C3%BCll%20%281%29.webp`],
  ["100%", `attachment; filename="100_.webp"; filename*=UTF-8''100%25.webp`],
])("a download named %s has its name and the extension of its format", (dl, disposition) => {
  expect(ResponseHeaders.content(image, webp, dl)["Content-Disposition"]).toBe(disposition);
});

test("no name puts a character into the header that HTTP does not allow", () => {
  for (const dl of ["猫", "a'b*c", "…", "😀"])
    expect(ResponseHeaders.content(image, webp, dl)["Content-Disposition"]).toMatch(
      /^[\x20-\x7e]+$/,
    );
});

test.each([
  ["photo.jpeg", `attachment; filename="photo.jpeg"; filename*=UTF-8''photo.jpeg`],
  ["IMG_1.JPG", `attachment; filename="IMG_1.JPG"; filename*=UTF-8''IMG_1.JPG`],
  ["IMG_2.HEIC", `attachment; filename="IMG_2.jpg"; filename*=UTF-8''IMG_2.jpg`],
  [
    "férias na praia.png",
    `attachment; filename="ferias na praia.jpg"; filename*=UTF-8''f%C3%A9rias%20na%20praia.jpg`,
  ],
  [
    "photo.constructor",
    `attachment; filename="photo.constructor.jpg"; filename*=UTF-8''photo.constructor.jpg`,
  ],
  ["猫", `attachment; filename="_.jpg"; filename*=UTF-8''%E7%8C%AB.jpg`],
  ['a";b.jpg', `attachment; filename="a_;b.jpg"; filename*=UTF-8''a%22%3Bb.jpg`],
])(
  "dl=1 names the download of the file %s like the file, with the extension of its format",
  (fileName, disposition) => {
    const headers = ResponseHeaders.content({ id: "img_1", fileName }, jpeg, "1");
    expect(headers["Content-Disposition"]).toBe(disposition);
  },
);
