import { assert, date, property } from "fast-check";
import { ulid } from "ulid";
import { expect, test } from "vitest";
import * as z from "zod/mini";

import * as Id from "./id.ts";

test("an id is what its schema accepts, and says when it was made", () => {
  const id = Id.create("image");
  expect(z.parse(Id.ImageId, id)).toBe(id);
  expect(Math.abs(Id.time(id) - Date.now())).toBeLessThan(1000);
});

test.each([
  "",
  "img_",
  "01KAJ0000000000000000000AA",
  "img_01kaj0000000000000000000aa",
  "img_01KAJ0000000000000000000A",
  "img_81KAJ0000000000000000000AA",
  "img_01KAJ0000000000000000000AAA",
  "img_01KAJ0000000000000000000AA\n",
  "col_01KAJ0000000000000000000AA",
])("%j is not an id of an image", (text) => {
  expect(z.safeParse(Id.ImageId, text).success).toBe(false);
});

test("the lowest id of a moment is not above any id of that moment, and above all earlier ones", () => {
  const moments = date({ min: new Date(1), max: new Date("2100-01-01"), noInvalidDate: true });
  assert(
    property(moments, (moment) => {
      const lowest = Id.lowest("image", moment.getTime());
      expect(Id.time(lowest)).toBe(moment.getTime());
      expect(lowest <= `img_${ulid(moment.getTime())}`).toBe(true);
      expect(Id.lowest("image", moment.getTime() - 1) < lowest).toBe(true);
    }),
  );
});
