import { expect, test } from "vitest";

import { acceptedFormats } from "./accept.ts";

test.each([
  ["image/avif,image/webp,image/apng,*/*;q=0.8", { avif: true, webp: true }],
  ["image/webp,*/*", { avif: false, webp: true }],
  ["*/*", { avif: false, webp: false }],
  ["image/*", { avif: false, webp: false }],
  [undefined, { avif: false, webp: false }],
  ["", { avif: false, webp: false }],
  ["IMAGE/AVIF ; q=0.5", { avif: true, webp: false }],
  ["image/avif;q=0, image/webp;q=0.000", { avif: false, webp: false }],
  ["image/avif;q=nonsense", { avif: false, webp: false }],
  ["image/avifx, x-image/webp", { avif: false, webp: false }],
])("Accept: %s", (header, formats) => expect(acceptedFormats(header)).toEqual(formats));
