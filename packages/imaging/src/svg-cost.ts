import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";
import type { Declaration } from "./svg-css.ts";
import type { Document, Element } from "./svg-document.ts";
import { crossings } from "./svg-outline.ts";

// The cost of drawing an SVG, computed without drawing. librsvg cannot be interrupted, and an SVG of a few kilobytes can take
// hours: every reference to a mask, a pattern or a `use` draws its target again, targets refer to other targets, and CSS,
// text and filters cost more than their length. One unit is about 150 microseconds, measured on a canvas of one megapixel.
// How much of the canvas a shape covers is not computed: that is left to the time limit.

/** Filter elements cost pixels, not shapes, so these are units per megapixel; parts of gradients and blurs are not counted. */
const WEIGHTS: Record<string, number> = {
  stop: 0.3,
  feDisplacementMap: 1300,
  feTurbulence: 1400,
  feDiffuseLighting: 400,
  feSpecularLighting: 400,
};
const FILTER_WEIGHT = 250;
/**
 * Units per possible crossing of an outline with itself, on a canvas with 1,000 rows; the rest grows with the rows. Measured
 * on a busy 2 vCPU with outlines of random lines: 1,000 lines, 0.2 million possible crossings, 0.22 s (with 2,000 rows
 * 0.37 s); 3,000 lines, 2 million, 2.3 s filled and 2.8 s stroked, with any width and join; 1,000 random curves, 1.6 s filled
 * and 2.1 s stroked. So a crossing takes 1.0 to 1.4 microseconds. A coastline of 50,000 lines, which hardly cross, takes
 * 0.2 s.
 */
const CROSSING = 1.4 / 150;
/** The maximum depth of nested elements and chained references; real drawings have less. */
const MAX_CHAIN = 1000;
/** Circles of references are weighed anew from each of their elements; real drawings have none. */
const MAX_VISITS = 200_000;

/**
 * Checks that drawing an SVG is within the limit, and returns its cost in units, on a canvas of `megapixels`.
 *
 * @throws image.too_complex
 */
export function check({ root, elements, sheet }: Document, megapixels: number): number {
  const byId = groupById(elements);
  const shortestDash = dashOf(sheet.declarations);
  const whole = weigher(byId, shortestDash, Math.max(1, megapixels));
  // a style sheet can apply the most expensive thing that it names to every element
  const named = sheet.urls.flatMap((url) => byId.get(url.replace(/^#/, "")) ?? []);
  const heaviest = named.map(whole).reduce((most, work) => Math.max(most, work), 0);
  const hasMarkers = sheet.declarations.some(isMarker);
  const places = hasMarkers ? elements.length + sum(elements.map(corners)) : elements.length;
  const work = whole(root) + (sheet.rules * elements.length) / 1000 + places * heaviest;
  if (!(work <= Limits.MAX_SVG_COST))
    throw tooComplex(
      `is as much to draw as ${counted(work)} shapes, counting what is drawn again and again`,
    );
  return work;
}

/** A reference means one element with the id; with several of them, the most expensive is counted. */
function groupById(elements: Element[]) {
  const byId = new Map<string, Element[]>();
  for (const element of elements) {
    const { id } = element.attributes;
    if (id === undefined) continue;
    const others = byId.get(id);
    if (others) others.push(element);
    else byId.set(id, [element]);
  }
  return byId;
}

/** The cost of an element with its children and everything that it refers to, counted per reference. */
function weigher(byId: Map<string, Element[]>, shortestDash: number, megapixels: number) {
  const known = new Map<Element, number>();
  /** The elements that are being weighed, with their place in the chain. */
  const open = new Map<Element, number>();
  const ownCosts = new Map<Element, number>();
  let visits = 0;

  return (element: Element): number => weigh(element).work;

  function ownWork(element: Element): number {
    const before = ownCosts.get(element);
    if (before !== undefined) return before;
    const work = ownCost(element, shortestDash, megapixels) + textCost(element, byId);
    ownCosts.set(element, work);
    return work;
  }

  /** `first` is the earliest place in the chain that the element leads back to. */
  function weigh(element: Element): { work: number; first: number } {
    const before = known.get(element);
    if (before !== undefined) return { work: before, first: Infinity };
    const place = open.get(element);
    // librsvg does not draw an element inside of itself
    if (place !== undefined) return { work: 0, first: place };
    if (open.size >= MAX_CHAIN)
      throw tooComplex(`refers from element to element more than ${MAX_CHAIN} times in a row`);
    if (++visits > MAX_VISITS)
      throw tooComplex("refers from element to element in too many circles");
    const own = open.size;
    open.set(element, own);
    let work = ownWork(element);
    let first = Infinity;
    const add = (part: Element, times: number) => {
      const weighed = weigh(part);
      work += times * weighed.work;
      first = Math.min(first, weighed.first);
    };
    for (const child of element.children) add(child, 1);
    for (const [id, times] of references(element))
      for (const target of byId.get(id) ?? []) add(target, times);
    open.delete(element);
    // inside of a circle the cost depends on where the circle was entered
    if (first >= own) {
      known.set(element, work);
      first = Infinity;
    }
    return { work, first };
  }
}

function ownCost(element: Element, shortestDash: number, megapixels: number): number {
  const { name, attributes } = element;
  const isFilter = /^fe[A-Z]/.test(name);
  const weight = WEIGHTS[name] ?? (isFilter ? FILTER_WEIGHT : 1);
  const fixed = isFilter ? weight * megapixels : weight;
  const radius = name === "feMorphology" ? 30 * sum(numbers(attributes["radius"] ?? "")) : 0;
  const { d = "", points = "" } = attributes;
  const outline = d.length + points.length;
  const crossing = crossings(d, points) * CROSSING * Math.sqrt(megapixels);
  return fixed + radius + outline / 100 + crossing + dashes(element, shortestDash);
}

/** A line of text is shaped as a whole, across its spans: twice the letters cost four times as much. */
function textCost(element: Element, byId: Map<string, Element[]>): number {
  if (element.name !== "text") return 0;
  const known = new Map<Element, number>();
  // a `tref` shows the letters of another element
  const lettersOf = (part: Element): number => {
    const shown = part.name === "tref" ? part.hrefs.flatMap((id) => byId.get(id) ?? []) : [];
    return part.letters + sum(part.children.map(lettersOf)) + sum(shown.map(plainLettersOf));
  };
  const plainLettersOf = (part: Element): number => {
    const letters = known.get(part) ?? part.letters + sum(part.children.map(plainLettersOf));
    known.set(part, letters);
    return letters;
  };
  return lettersOf(element) ** 2 / 4000;
}

/** A stroke is split into its dashes before it is drawn; each costs 130 bytes and some microseconds. */
function dashes({ attributes, declarations }: Element, shortest: number): number {
  const { d, points, x1, x2, y1, y2, r, rx, ry, width, height } = attributes;
  const dash = Math.min(dashOf(declarations), shortest);
  if (dash === Infinity) return 0;
  const drawn = [d, points, x1, x2, y1, y2, r, rx, ry, width, height];
  const length = sum(drawn.flatMap((text) => numbers(text ?? "")));
  return length / dash / 20;
}

/** The shortest dash, `Infinity` if there is none. Zeros make no dash. */
const dashOf = (declarations: Declaration[]): number =>
  declarations
    .filter(({ property }) => property === "stroke-dasharray")
    .flatMap(({ numbers }) => numbers)
    .reduce((least, length) => (length > 0 ? Math.min(least, length) : least), Infinity);

function references(element: Element): [id: string, times: number][] {
  const found = element.hrefs.map((id): [string, number] => [id, 1]);
  for (const declaration of element.declarations) {
    // a marker is drawn at every vertex
    const times = isMarker(declaration) ? corners(element) : 1;
    for (const url of declaration.urls) found.push([url.replace(/^#/, ""), times]);
  }
  return found;
}

const isMarker = ({ property }: Declaration) => property.startsWith("marker");

/** An upper limit: every number of an outline may be a vertex. */
const corners = ({ attributes: { d = "", points = "" } }: Element) =>
  numbers(d).length + numbers(points).length;

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
