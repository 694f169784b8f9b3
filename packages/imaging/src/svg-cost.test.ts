import { expect, test } from "vitest";

import { random } from "../test/hostile/bytes.ts";
import { svg } from "../test/hostile/svg.ts";
import { MAX_SVG_COST, MAX_SVG_DEPTH } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import { check } from "./svg-cost.ts";
import { parse } from "./svg-document.ts";

/** The code of the refusal, or undefined where the SVG is accepted. */
function refusalCode(text: string): string | undefined {
  try {
    check(parse(text), 1);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const any = random(1);
const rects = (count: number) => "<rect/>".repeat(count);
/** Slightly more elements than half of the accepted cost, so that drawing them twice is too much. */
const half = Math.ceil(MAX_SVG_COST / 2) + 1;

test.each([
  ["an empty SVG", svg("")],
  ["many shapes", svg(rects(half))],
  ["the same element used often", svg(`<rect id="a"/>${'<use href="#a"/>'.repeat(100)}`)],
  ["a reference to no element", svg('<use href="#missing"/>')],
  ["a reference to itself", svg('<g id="a"><use href="#a"/></g>')],
  [
    "two references in a circle",
    svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'),
  ],
  ["a text that shows itself", svg('<text id="a">a<tref xlink:href="#a"/></text>')],
  ["a dash of zero length", svg('<path stroke-dasharray="0" d="M0 0L1000000 0"/>')],
  ["a short text", svg("<text>Balde</text>")],
  ["the maximum depth", svg("<g>".repeat(MAX_SVG_DEPTH - 1) + "</g>".repeat(MAX_SVG_DEPTH - 1))],
])("accepts %s", (_, text) => expect(refusalCode(text)).toBeUndefined());

test.each([
  ["too many shapes", svg(rects(2 * half))],
  ["a heavy element that is used twice", svg(`<g id="a">${rects(half)}</g><use href="#a"/>`)],
  ["xlink:href like href", svg(`<g id="a">${rects(half)}</g><use xlink:href="#a"/>`)],
  ["a heavy pattern in an attribute", svg(`<g id="a">${rects(half)}</g><rect fill="url(#a)"/>`)],
  [
    "a heavy pattern in a style sheet",
    svg(`<style>*{fill:url(#a)}</style><g id="a">${rects(half)}</g>`),
  ],
  [
    "a marker at each corner of a path",
    svg(
      `<marker id="a">${rects(1000)}</marker><path marker-mid="url(#a)" d="M${"1 1 ".repeat(MAX_SVG_COST / 1000)}"/>`,
    ),
  ],
  [
    "references that double at each step",
    svg(
      '<rect id="a0"/>' +
        Array.from(
          { length: 30 },
          (_, i) => `<g id="a${i + 1}"><use href="#a${i}"/><use href="#a${i}"/></g>`,
        ).join(""),
    ),
  ],
  [
    "more than 1000 references in a row",
    svg(Array.from({ length: 1002 }, (_, i) => `<use id="a${i}" href="#a${i + 1}"/>`).join("")),
  ],
  ["many filters", svg("<feTurbulence/>".repeat(Math.ceil(MAX_SVG_COST / 1400) + 1))],
  ["a large feMorphology", svg(`<feMorphology radius="${MAX_SVG_COST}"/>`)],
  [
    "one long line of text",
    svg(`<text>${"a".repeat(Math.ceil(Math.sqrt(MAX_SVG_COST * 4000)) + 1)}</text>`),
  ],
  [
    "a long line of text in spans",
    svg(
      `<text>${`<tspan>${"a".repeat(100)}</tspan>`.repeat(Math.ceil(Math.sqrt(MAX_SVG_COST * 4000) / 100))}</text>`,
    ),
  ],
  [
    "a line of text that shows a long one again and again",
    svg(
      `<text id="a">${"a".repeat(1000)}</text><text>${'<tref xlink:href="#a"/>'.repeat(50)}</text>`,
    ),
  ],
  [
    "elements that draw each other and are entered from another side",
    svg(
      `<g id="a">${rects(1000)}<use href="#b"/></g><g id="b">${'<use href="#a"/>'.repeat(MAX_SVG_COST / 1000)}</g>`,
    ),
  ],
  [
    "a filter behind an escaped name",
    svg(`<filter id="a">${"<feFlood/>".repeat(101)}</filter><rect style="filter:u\\72l(#a)"/>`),
  ],
  [
    "a heavy pattern behind an id that an earlier element has",
    svg(`<g id="a"/><g id="a">${rects(half)}</g><use href="#a"/>`),
  ],
  [
    "an outline of 4,000 lines that cross each other",
    svg(`<path d="M0 0${Array.from({ length: 4000 }, () => `L${any()} ${any()}`).join("")}"/>`),
  ],
  ["a long outline", svg(`<polygon points="${"1 ".repeat(50 * MAX_SVG_COST)}"/>`)],
  ["tiny dashes on a long line", svg(`<line stroke-dasharray="0.001" x2="${MAX_SVG_COST}"/>`)],
  [
    "tiny dashes in a style attribute",
    svg(`<line style="stroke-dasharray: 0.001" x2="${MAX_SVG_COST}"/>`),
  ],
  [
    "tiny dashes in a style sheet",
    svg(`<style>line{stroke-dasharray:0.001}</style><line x2="${MAX_SVG_COST}"/>`),
  ],
  ["one level too many", svg("<g>".repeat(MAX_SVG_DEPTH) + "</g>".repeat(MAX_SVG_DEPTH))],
])("refuses %s", (_, text) => expect(refusalCode(text)).toBe("image.too_complex"));

test("an SVG that is not well-formed is truncated or damaged", () => {
  expect(refusalCode(svg("<g>").replace("</svg>", ""))).toBe("image.truncated");
  expect(refusalCode(svg("<g></a>"))).toBe("image.damaged");
});

// the shapes, the svg element and the root of the document count
test("the refusal says the cost and the limits", () => {
  expect(() => check(parse(svg(rects(2 * half))), 1)).toThrow(
    expect.objectContaining({
      detail: expect.stringMatching(
        new RegExp(`much to draw as ${2 * half + 2} shapes.*at most ${MAX_SVG_COST} shapes`),
      ),
    }),
  );
});

test("filters cost pixels", () => {
  const filtered = parse(svg("<feFlood/>".repeat(10)));
  expect(check(filtered, 9)).toBeGreaterThan(8 * check(filtered, 1));
  expect(() => check(filtered, 20)).toThrow(expect.objectContaining({ code: "image.too_complex" }));
});
