import * as Plan from "@balde/imaging/plan";
import { expect, test, vi } from "vitest";

import * as ResponseHeaders from "./response-headers.ts";

const source = { width: 100, height: 80, format: "jpeg", hasAlpha: false, pages: 1 } as const;
const webp = Plan.plan({ f: "webp" }, source, { avif: false, webp: false });

const rev = "1a2b3c4d5e6f";

test.each([
  ["a revision is kept for ever", { rev }, "public, max-age=31536000, immutable"],
  [
    "a preset for a day, for it may be given another size",
    { rev, preset: "a" },
    "public, max-age=86400",
  ],
  ["the newest for a minute", {}, "public, max-age=60, must-revalidate"],
  ["so is its preset", { preset: "a" }, "public, max-age=60, must-revalidate"],
])("%s", (_, address, control) =>
  expect(ResponseHeaders.caching({ ...address, isPublic: true }, {})["Cache-Control"]).toBe(
    control,
  ),
);

test.each([
  ["for as long as its signature is good", { rev, isPublic: false }, 100, "private, max-age=100"],
  ["for no more than a minute without a revision", { isPublic: false }, 100, "private, max-age=60"],
  ["no more when it is over", { rev, isPublic: false }, -1, "private, max-age=0"],
  ["by anyone if it is public", { rev, isPublic: true }, 100, "public, max-age=100"],
])("a signed one is kept %s", (_, address, seconds, control) => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  const expiresAt = 1_800_000_000 + seconds;
  const headers = ResponseHeaders.caching({ ...address, expiresAt }, {});
  vi.useRealTimers();
  expect(headers["Cache-Control"]).toBe(`${control}, must-revalidate`);
});

test("only what depends on Accept says so", () => {
  const address = { rev, isPublic: true };
  expect(ResponseHeaders.caching(address, {})["Vary"]).toBe("Accept");
  expect(ResponseHeaders.caching(address, { f: "auto" })["Vary"]).toBe("Accept");
  expect(ResponseHeaders.caching(address, { f: "webp" })["Vary"]).toBeUndefined();
});

test.each([
  ["holiday", `attachment; filename="holiday.webp"; filename*=UTF-8''holiday.webp`],
  ["a.WEBP", `attachment; filename="a.WEBP"; filename*=UTF-8''a.WEBP`],
  ["Müll (1)", `attachment; filename="M_ll (1).webp"; filename*=UTF-8''M%C3%BCll%20%281%29.webp`],
  ["100%", `attachment; filename="100_.webp"; filename*=UTF-8''100%25.webp`],
])("a download of %s has its name and the right ending", (dl, disposition) => {
  expect(ResponseHeaders.content("img_1", webp, dl)["Content-Disposition"]).toBe(disposition);
});

test("no name puts a line or a sign into a header that HTTP does not allow", () => {
  for (const dl of ["猫", "a'b*c", "…", "😀"])
    expect(ResponseHeaders.content("img_1", webp, dl)["Content-Disposition"]).toMatch(
      /^[\x20-\x7e]+$/,
    );
});
