import sax from "sax";

import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";

// The cost of drawing an SVG, computed without drawing. librsvg cannot be interrupted, and an SVG of a few kilobytes can take
// hours: every reference to a mask, a pattern or a `use` draws its target again, targets refer to other targets, and CSS,
// text and filters cost more than their length. One unit is about 150 microseconds, measured on a canvas of one megapixel.
// Costs that only drawing shows, such as how often a path crosses itself, are left to the time limit.

type Node = {
  name: string;
  attributes: Record<string, string>;
  children: Node[];
  letters: number;
};

/** Filter elements cost pixels, not shapes; parts of gradients and blurs are not counted. */
const WEIGHTS: Record<string, number> = {
  stop: 0.3,
  feDisplacementMap: 1300,
  feTurbulence: 1400,
  feDiffuseLighting: 400,
  feSpecularLighting: 400,
};
const FILTER_WEIGHT = 250;
/** The maximum depth of nested elements and chained references; real drawings have less. */
const MAX_CHAIN = 1000;

/**
 * Checks that drawing an SVG is within the limit.
 *
 * @throws image.too_complex or image.damaged
 */
export function check(text: string): void {
  const { root, byId, elements, css } = parse(text);
  const whole = weigher(byId, css);
  const rules = css.split("{").length - 1;
  // a style sheet can apply the most expensive thing that it names to every element
  const named = [...css.matchAll(REFERENCE)].map(([, id = ""]) => byId.get(id));
  const heaviest = named.reduce((most, node) => Math.max(most, node ? whole(node) : 0), 0);
  const times = /marker/.test(css) ? elements + corners(text) : elements;
  const work = whole(root) + (rules * elements) / 1000 + times * heaviest;
  if (!(work <= Limits.MAX_SVG_COST))
    throw tooComplex(
      `is as much to draw as ${counted(work)} shapes, counting what is drawn again and again`,
    );
}

function parse(text: string) {
  const root: Node = { name: "", attributes: {}, children: [], letters: 0 };
  const byId = new Map<string, Node>();
  const open = [root];
  let elements = 0;
  let css = "";
  const parser = sax.parser(true);
  parser.onopentag = ({ name, attributes }) => {
    const node = {
      name: name.replace(/^.*:/, ""),
      attributes: attributes as Node["attributes"],
      children: [],
      letters: 0,
    };
    elements += 1;
    open.at(-1)!.children.push(node);
    open.push(node);
    // a reference means the first element with its id
    const { id } = node.attributes;
    if (id !== undefined && !byId.has(id)) byId.set(id, node);
    if (open.length > Limits.MAX_SVG_DEPTH + 1)
      throw tooComplex(`is nested more than ${Limits.MAX_SVG_DEPTH} elements deep`);
  };
  parser.onclosetag = () => void open.pop();
  const onText = (piece: string) => {
    const node = open.at(-1)!;
    if (node.name === "style") css += piece;
    // letters are laid out in lines, across their spans
    const line = open.findLast(({ name }) => name === "text");
    if (line) line.letters += piece.length;
  };
  parser.ontext = onText;
  parser.oncdata = onText;
  parser.onerror = ({ message }) => {
    const [says = ""] = message.split("\n");
    const endsEarly = /^Un(closed|expected end)/.test(says);
    throw new Refusal(
      "unprocessable",
      endsEarly ? "image.truncated" : "image.damaged",
      `The SVG is not well-formed (${says})`,
    );
  };
  parser.write(text).close();
  return { root, byId, elements, css };
}

/** The cost of an element with its children and everything that it refers to, counted per reference. */
function weigher(byId: Map<string, Node>, css: string) {
  const known = new Map<Node, number>();
  const shortestDash = dashOf(css);
  let chain = 0;

  return function whole(node: Node): number {
    const before = known.get(node);
    if (before !== undefined) return before;
    // librsvg does not draw circular references
    known.set(node, 0);
    if (++chain > MAX_CHAIN)
      throw tooComplex(`refers from element to element more than ${MAX_CHAIN} times in a row`);
    let work = own(node, shortestDash);
    for (const child of node.children) work += whole(child);
    for (const [id, times] of references(node)) {
      const target = byId.get(id);
      if (target) work += times * whole(target);
    }
    chain -= 1;
    known.set(node, work);
    return work;
  };
}

function own({ name, attributes, letters }: Node, shortestDash: number): number {
  const fixed = WEIGHTS[name] ?? (/^fe[A-Z]/.test(name) ? FILTER_WEIGHT : 1);
  const radius = name === "feMorphology" ? 30 * sum(numbers(attributes["radius"] ?? "")) : 0;
  const { d = "", points = "" } = attributes;
  const outline = d.length + points.length;
  // a line of text is shaped as a whole: twice the letters cost four times as much
  return fixed + radius + letters ** 2 / 4000 + outline / 100 + dashes(attributes, shortestDash);
}

/** A stroke is split into its dashes before it is drawn; each costs 130 bytes and some microseconds. */
function dashes(attributes: Node["attributes"], shortest: number): number {
  const { d, points, x1, x2, y1, y2, r, rx, ry, width, height } = attributes;
  const dash = Math.min(
    dashOf(`stroke-dasharray:${attributes["stroke-dasharray"] ?? ""}`),
    dashOf(attributes["style"] ?? ""),
    shortest,
  );
  if (dash === Infinity) return 0;
  const drawn = [d, points, x1, x2, y1, y2, r, rx, ry, width, height];
  const length = sum(drawn.flatMap((text) => numbers(text ?? "")));
  return length / dash / 20;
}

/** The shortest dash in CSS, `Infinity` if there is none. Zeros make no dash. */
function dashOf(css: string): number {
  let shortest = Infinity;
  for (const [, list = ""] of css.matchAll(/stroke-dasharray\s*:([^;}]*)/gi)) {
    const positive = numbers(list).filter((length) => length > 0);
    if (positive.length > 0) shortest = Math.min(shortest, ...positive.slice(0, 100));
  }
  return shortest;
}

function references({ attributes }: Node): [id: string, times: number][] {
  const found: [string, number][] = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (/^(?:\w+:)?href$/.test(name) && value.startsWith("#")) found.push([value.slice(1), 1]);
    // a marker is drawn at every vertex
    const isMarker = name.startsWith("marker") || value.includes("marker");
    const times = isMarker ? corners(`${attributes["d"]} ${attributes["points"]}`) : 1;
    for (const [, id = ""] of value.matchAll(REFERENCE)) found.push([id, times]);
  }
  return found;
}

const REFERENCE = /url\(\s*["']?#([^"')]*)/g;

/** An upper limit: every number of an outline may be a vertex. */
const corners = (text: string) => numbers(text).length;

const numbers = (text: string): number[] =>
  (text.match(/\d*\.?\d+(?:e[-+]?\d+)?/gi) ?? []).map(Number);

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

const counted = (work: number) =>
  Number.isFinite(work) && work < 1e9 ? Math.round(work) : "billions of";

const tooComplex = (what: string) =>
  new Refusal(
    "unprocessable",
    "image.too_complex",
    `The SVG ${what}; at most ${Limits.MAX_SVG_COST} shapes and ${Limits.MAX_SVG_DEPTH} levels are accepted`,
  );
