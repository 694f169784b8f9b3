// How often the outline of a path may cross itself, which decides what it costs to draw: a renderer keeps the edges of each
// row sorted, and every crossing is a swap.

/** A part of an outline, as the box of its points: left, right, top, bottom. A curve is drawn as several edges. */
type Part = { x0: number; x1: number; y0: number; y1: number; edges: number };

/** Comparisons for each part, and for an outline, after which all parts count as crossing: together a second for a megabyte. */
const MAX_COMPARISONS_PER_PART = 200;
const MIN_COMPARISONS = 1e6;

/**
 * An upper limit of the crossings of an outline: pairs of its parts whose boxes overlap, curves counted as two edges. A pair
 * that crosses has overlapping boxes before every transformation, too.
 */
export function crossings(d: string, points: string): number {
  const parts = d === "" ? partsOfPoints(points) : partsOfPath(d);
  const across = sum(parts.map(({ x0, x1 }) => x1 - x0)) / (extent(parts, "x0", "x1") || 1);
  const down = sum(parts.map(({ y0, y1 }) => y1 - y0)) / (extent(parts, "y0", "y1") || 1);
  // along the axis on which fewer parts overlap
  return across <= down
    ? overlapping(parts, ["x0", "x1"], ["y0", "y1"])
    : overlapping(parts, ["y0", "y1"], ["x0", "x1"]);
}

type Side = "x0" | "x1" | "y0" | "y1";

function overlapping(parts: Part[], [a0, a1]: [Side, Side], [b0, b1]: [Side, Side]): number {
  const sorted = parts.toSorted((one, other) => one[a0] - other[a0]);
  // arrays of numbers: the inner loop runs millions of times
  const column = (of: (part: Part) => number) => Float64Array.from(sorted, of);
  const starts = column((part) => part[a0]);
  const ends = column((part) => part[a1]);
  const tops = column((part) => part[b0]);
  const bottoms = column((part) => part[b1]);
  const edges = column((part) => part.edges);
  let comparisons = MIN_COMPARISONS + MAX_COMPARISONS_PER_PART * parts.length;
  let pairs = 0;
  for (let i = 0; i < starts.length; i++) {
    const [end, top, bottom, own] = [ends[i]!, tops[i]!, bottoms[i]!, edges[i]!];
    // the next part begins where this one ends
    for (let j = i + 1; j < starts.length && starts[j]! < end; j++) {
      if (tops[j]! < bottom && top < bottoms[j]!) pairs += own * edges[j]!;
      if (--comparisons < 0) return parts.length ** 2;
    }
  }
  return pairs;
}

function partsOfPoints(points: string): Part[] {
  const numbers = (points.match(NUMBER) ?? []).map(Number);
  const parts: Part[] = [];
  for (let at = 2; at + 1 < numbers.length; at += 2)
    parts.push(partOf(numbers.slice(at - 2, at + 2), 1));
  return parts;
}

/** The numbers of each command, and the edges that one of its curves counts as. */
const COMMANDS: Record<string, { length: number; edges: number }> = {
  m: { length: 2, edges: 1 },
  l: { length: 2, edges: 1 },
  h: { length: 1, edges: 1 },
  v: { length: 1, edges: 1 },
  c: { length: 6, edges: 2 },
  s: { length: 4, edges: 2 },
  q: { length: 4, edges: 2 },
  t: { length: 2, edges: 2 },
  a: { length: 7, edges: 2 },
  z: { length: 0, edges: 1 },
};
const COMMAND = /([mlhvcsqtaz])([^mlhvcsqtaz]*)/gi;
const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi;
const ARC_FLAG = /[\s,]*([01])/y;
const ARC_NUMBER = /[\s,]*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)/iy;

/** Of what is no path, too: librsvg draws all that comes before the first mistake. */
function partsOfPath(d: string): Part[] {
  const parts: Part[] = [];
  let [x, y, startX, startY] = [0, 0, 0, 0];
  for (const [, letter = "", text = ""] of d.matchAll(COMMAND)) {
    const name = letter.toLowerCase();
    const { length, edges } = COMMANDS[name]!;
    const isRelative = letter === name;
    if (name === "z") {
      parts.push(partOf([x, y, startX, startY], 1));
      [x, y] = [startX, startY];
      continue;
    }
    const numbers = name === "a" ? arcNumbers(text) : (text.match(NUMBER) ?? []).map(Number);
    for (let at = 0; at + length <= numbers.length; at += length) {
      const given = numbers.slice(at, at + length);
      const [fromX, fromY] = isRelative ? [x, y] : [0, 0];
      const points = pointsOf(name, given, { x, y, fromX, fromY });
      const isMove = name === "m" && at === 0;
      if (!isMove) parts.push(partOf([x, y, ...points], edges));
      [x, y] = points.slice(-2) as [number, number];
      if (isMove) [startX, startY] = [x, y];
    }
  }
  return parts;
}

function pointsOf(
  name: string,
  given: number[],
  { x, y, fromX, fromY }: { x: number; y: number; fromX: number; fromY: number },
): number[] {
  if (name === "h") return [given[0]! + fromX, y];
  if (name === "v") return [x, given[0]! + fromY];
  if (name !== "a") return given.map((value, at) => value + (at % 2 === 0 ? fromX : fromY));
  const [rx = 0, ry = 0, , , , toX = 0, toY = 0] = given;
  const [endX, endY] = [toX + fromX, toY + fromY];
  // an arc leaves the box of its ends by at most its diameter
  const reach = 2 * Math.max(Math.abs(rx), Math.abs(ry));
  return [endX - reach, endY - reach, endX + reach, endY + reach, endX, endY];
}

/** The two flags of an arc need no space behind them. */
function arcNumbers(text: string): number[] {
  const numbers: number[] = [];
  for (let at = 0; ;) {
    const isFlag = numbers.length % 7 === 3 || numbers.length % 7 === 4;
    const pattern = isFlag ? ARC_FLAG : ARC_NUMBER;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) return numbers;
    numbers.push(Number(match[1]));
    at = pattern.lastIndex;
  }
}

function partOf(points: number[], edges: number): Part {
  const part = { x0: Infinity, x1: -Infinity, y0: Infinity, y1: -Infinity, edges };
  for (let at = 0; at + 1 < points.length; at += 2) {
    part.x0 = Math.min(part.x0, points[at]!);
    part.x1 = Math.max(part.x1, points[at]!);
    part.y0 = Math.min(part.y0, points[at + 1]!);
    part.y1 = Math.max(part.y1, points[at + 1]!);
  }
  return part;
}

const extent = (parts: Part[], from: Side, to: Side) =>
  parts.reduce((most, part) => Math.max(most, part[to]), -Infinity) -
  parts.reduce((least, part) => Math.min(least, part[from]), Infinity);

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
