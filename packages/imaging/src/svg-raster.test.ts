import { expect, test } from "vitest";

import { coloursAt, deliver, distance } from "../test/pixel-at.ts";
import { identify } from "./identify.ts";

const red = [204, 0, 0, 255];
const green = [0, 204, 0, 255];
const transparent = [0, 0, 0, 0];

const svg = (attributes: string, content: string) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${content}</svg>`);
const rect = (position: string, colour: string) => `<rect ${position} fill="${colour}"/>`;
/** A red rectangle of 200 × 100 CSS pixels whose right half is green. */
const halves = (unit: number, name: string) =>
  rect(`width="${200 / unit}${name}" height="${100 / unit}${name}"`, "#c00") +
  rect(
    `x="${100 / unit}${name}" width="${100 / unit}${name}" height="${100 / unit}${name}"`,
    "#0c0",
  );
const units: [string, number][] = [
  ["", 1],
  ["px", 1],
  ["pt", 96 / 72],
  ["pc", 16],
  ["in", 96],
  ["mm", 96 / 25.4],
  ["cm", 96 / 2.54],
];

// in Chromium the whole drawing is scaled; an inch has 96 pixels, in the size of the drawing and inside it
for (const [name, unit] of units)
  for (const attributes of [
    "",
    `width="${200 / unit}${name}" height="${100 / unit}${name}"`,
    'viewBox="0 0 200 100"',
    'viewBox="0 0 200 100" width="200" height="100"',
    'width="100%" height="100%" viewBox="0 0 200 100"',
    `height='${100 / unit}${name}' width = '${200 / unit}${name}' stroke-width="3"`,
  ])
    test(`all of a drawing in "${name}" is shown at every size with ${attributes || "no size"}`, async () => {
      const bytes = svg(attributes, halves(unit, name));
      expect(await identify(bytes)).toMatchObject({ width: 200, height: 100 });
      for (const width of [20, 50, 200, 900]) {
        const picture = await deliver(bytes, `w=${width}&up=1&f=png`);
        const at = (x: number): [number, number] => [Math.floor(x * width), width >> 2];
        const [left, middle, after, right] = await coloursAt(
          picture,
          [0.05, 0.42, 0.57, 0.92].map(at),
        );
        expect(distance(left, red)).toBeLessThanOrEqual(3);
        expect(distance(middle, red)).toBeLessThanOrEqual(12);
        expect(distance(after, green)).toBeLessThanOrEqual(12);
        expect(distance(right, green)).toBeLessThanOrEqual(3);
      }
    });

test("what lies outside the size of a drawing without a viewBox is cut off", async () => {
  const bytes = svg('width="100" height="100"', rect('x="50" width="500" height="50"', "#c00"));
  const picture = await deliver(bytes, "w=400&up=1&f=png");
  expect(
    await coloursAt(picture, [
      [100, 100],
      [300, 100],
      [300, 300],
    ]),
  ).toEqual([transparent, red, transparent]);
});
