import { expect, test } from "vitest";

import * as Feed from "./feed.ts";
import * as Id from "./id.ts";

test("the images of the feed are spread over four partitions of the index, whatever their day", () => {
  const ids = Array.from({ length: 100 }, (_, n) =>
    Id.derive("image", 1_800_000_000_000 + n * 86_400_000, `${n}`),
  );
  const partitions = new Set(ids.map((id) => Feed.attributes(id).gsi2pk));
  expect([...partitions].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
    [0, 1, 2, 3].map((shard) => `FEED#${shard}`),
  );
});
