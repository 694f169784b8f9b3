import { expect, test } from "vitest";

import * as Checksum from "./checksum.ts";

// the check values of the catalogue of CRC algorithms, https://reveng.sourceforge.io/crc-catalogue/all.htm, and FIPS 180
test.each([
  ["crc32", "cbf43926"],
  ["crc32c", "e3069283"],
  ["crc64nvme", "ae8b14860a799888"],
  ["sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
  ["sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
] as const)(
  "%s of 123456789 is the published value, in one piece and in many",
  (algorithm, expected) => {
    for (const pieces of [["123456789"], ["1", "2345", "", "6789"]]) {
      const hasher = Checksum.createHasher(algorithm);
      for (const piece of pieces) hasher.update(Buffer.from(piece));
      expect(hasher.digest().toString("hex")).toBe(expected);
    }
  },
);
