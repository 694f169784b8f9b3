import { expect, test } from "vitest";

import * as Orientation from "./orientation.ts";

const WIDTH = 4;
const HEIGHT = 3;

/** The picture as rows of letters: `abcd`, `efgh`, `ijkl`. */
function drawn({ width, height, x, y, a, b, c, d }: Orientation.Orientation): string[] {
  const rows = Array.from({ length: height }, () => Array<string>(width).fill("."));
  for (let row = 0; row < HEIGHT; row++)
    for (let column = 0; column < WIDTH; column++) {
      const place = rows[y + c * column + d * row];
      const left = x + a * column + b * row;
      if (place && left in place) place[left] = "abcdefghijkl"[row * WIDTH + column]!;
    }
  return rows.map((row) => row.join(""));
}

const none = Orientation.none(WIDTH, HEIGHT);

test.each([
  ["nothing", none, ["abcd", "efgh", "ijkl"]],
  ["a turn to the left", Orientation.turnLeft(none), ["dhl", "cgk", "bfj", "aei"]],
  ["half a turn", Orientation.turnLeft(Orientation.turnLeft(none)), ["lkji", "hgfe", "dcba"]],
  ["a mirror", Orientation.mirror(none, "horizontal"), ["dcba", "hgfe", "lkji"]],
  ["upside down in a mirror", Orientation.mirror(none, "vertical"), ["ijkl", "efgh", "abcd"]],
  [
    "a crop, then a turn, then a mirror",
    Orientation.mirror(
      Orientation.turnLeft(Orientation.crop(none, { left: 1, top: 1, right: 0, bottom: 0 })),
      "horizontal",
    ),
    ["lh", "kg", "jf"],
  ],
])("%s", (_, orientation, rows) => {
  expect(drawn(orientation)).toEqual(rows);
});
