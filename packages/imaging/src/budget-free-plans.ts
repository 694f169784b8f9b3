import * as Grid from "./grid.schema.ts";
import { type Problem, Refusal } from "./refusal.ts";
import { type Request, texts } from "./request.schema.ts";

// The plans that every client may request without limit: few enough that they cannot keep the functions busy. Which keys are
// rounded and which are refused is decided in docs/adr/0021-budget.md.

/** The pixel densities of a preset, those of the client's `srcset`. */
const DENSITIES = [1, 2, 3] as const;

type Key = keyof Request;

/**
 * What each key means for a budget-free request: `free` is unchanged or rounded, `refused` would show something else, and of a
 * list these values are free. A PNG or GIF of a photograph is the most expensive to make. A new key does not compile until it
 * has its line here.
 */
const decisions: Record<Key, "free" | "refused" | readonly unknown[]> = {
  w: "free",
  h: "free",
  // with a size of the grid it gives a size outside it: a few shapes only
  ar: ["1:1", "5:4", "4:5", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "2:1", "1:2"],
  dpr: "free",
  fit: "free",
  pos: ["center", "attention"],
  crop: "refused",
  rot: [0],
  flip: "refused",
  up: [false],
  trim: "refused",
  bg: "refused",
  blur: "refused",
  sharpen: "refused",
  bri: [0],
  con: [0],
  sat: [0],
  gray: [false],
  anim: "free",
  f: ["auto", "avif", "webp", "jpeg"],
  q: "free",
  meta: ["none"],
  dl: "free",
};

/** Keys that a request may add to a preset and still be that preset. */
const besidePreset: readonly Key[] = ["dpr", "f", "q", "anim", "dl"];

/**
 * The nearest budget-free request: sizes rounded up to the grid, quality `auto`. The result is combined with the
 * preset as `given` would be.
 *
 * @throws delivery.budget_spent with each key that would show something else
 */
export function snap(given: Request, preset?: Request): Request {
  if (preset && keysOf(given).every((key) => besidePreset.includes(key))) {
    const { dpr, q: _, ...rest } = given;
    return { ...rest, ...(dpr !== undefined && { dpr: denser(dpr) }) };
  }
  const request = { ...preset, ...given };
  const problems = keysOf(request).flatMap((key) => refused(key, request));
  if (problems.length > 0) throw budgetSpent(problems);
  const { w, h, ar, dpr, q } = request;
  const isBox = ar !== undefined || (w !== undefined && h !== undefined);
  const edges = isBox ? Grid.EDGES : Grid.SINGLE_EDGES;
  const device = (edge: number) => Grid.roundUp(Math.round(edge * (dpr ?? 1)), edges);
  return {
    ...request,
    ...(w !== undefined && { w: device(w) }),
    ...(h !== undefined && { h: device(h) }),
    // written out, because the preset's own values would replace missing ones
    ...(dpr !== undefined && { dpr: 1 }),
    ...(q !== undefined && { q: "auto" }),
  };
}

const denser = (dpr: number) => DENSITIES.find((each) => each >= dpr) ?? DENSITIES.at(-1)!;

const keysOf = (request: Request) =>
  (Object.keys(request) as Key[]).filter((key) => request[key] !== undefined);

function refused(key: Key, request: Request): Problem[] {
  const decision = decisions[key];
  if (decision === "free") return [];
  const freeValues = decision === "refused" ? [] : decision;
  if (freeValues.includes(request[key])) return [];
  const allowed = freeValues.map((value) => texts({ [key]: value })[key]).join(" or ");
  return [
    {
      key,
      value: texts({ [key]: request[key] })[key]!,
      detail: `is no longer made without a signature; ${allowed ? `allowed is ${allowed}` : "leave it out"}`,
    },
  ];
}

const budgetSpent = (problems: Problem[]) =>
  new Refusal(
    "invalid",
    "delivery.budget_spent",
    `The picture has been made in as many unsigned ways as it may be. Without a signature there are presets, w or h of ${Grid.SINGLE_EDGES.join(", ")} pixels, and both of ${Grid.EDGES.join(", ")} pixels, with the usual ar, dpr, fit, pos=center or attention, f=auto, avif, webp or jpeg, anim and dl. ${problems.map(({ key, value, detail }) => `"${key}" = "${value}" ${detail}`).join(". ")}`,
    { problems },
  );
