import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as Ladder from "../src/ladder.ts";
import * as Plan from "../src/plan.ts";
import { prepare } from "../src/prepare.ts";
import { render } from "../src/render.ts";
import * as Request from "../src/request.ts";

/** The pictures of the README: for each file, its image and its query. */
export const examples: Record<string, [image: string, query: string]> = {
  "inside.webp": ["koi.jpg", "w=160&h=160"],
  "cover.webp": ["koi.jpg", "w=160&h=160&fit=cover"],
  "contain.webp": ["koi.jpg", "w=160&h=160&fit=contain&bg=f4e9cd"],
  "fill.webp": ["koi.jpg", "w=160&h=160&fit=fill"],
  "outside.webp": ["koi.jpg", "w=160&h=160&fit=outside"],
  "center.webp": ["stonehenge.jpg", "w=90&h=160&fit=cover"],
  "left.webp": ["stonehenge.jpg", "w=90&h=160&fit=cover&pos=left"],
  "focal.webp": ["stonehenge.jpg", "w=90&h=160&fit=cover&pos=0.7,0.5"],
  "attention.webp": ["stonehenge.jpg", "w=90&h=160&fit=cover&pos=attention"],
  "entropy.webp": ["stonehenge.jpg", "w=90&h=160&fit=cover&pos=entropy"],
  "crop.webp": ["koi.jpg", "crop=600,400,500,400&w=160"],
  "ar.webp": ["koi.jpg", "w=160&ar=16:9"],
  "dpr.webp": ["koi.jpg", "w=160&dpr=2"],
  "up.webp": ["koi.jpg", "crop=480,930,80,60&w=160&up=1"],
  "rot.webp": ["pier.jpg", "h=160&rot=90"],
  "flip.webp": ["koi.jpg", "w=160&flip=h"],
  "gray.webp": ["pier.jpg", "w=160&gray=1"],
  "blur.webp": ["pier.jpg", "w=160&blur=4"],
  "sharpen.webp": ["pier.jpg", "w=160&sharpen=2"],
  "bri.webp": ["pier.jpg", "w=160&bri=40"],
  "con.webp": ["pier.jpg", "w=160&con=50"],
  "sat.webp": ["pier.jpg", "w=160&sat=80"],
  "drawing.webp": ["badge.svg", "w=160"],
  "trim.webp": ["badge.svg", "w=160&trim=10"],
  "bg.jpg": ["badge.svg", "w=160&f=jpeg&bg=f4e9cd"],
  "q10.jpg": ["stonehenge.jpg", "w=160&f=jpeg&q=10"],
  "q80.jpg": ["stonehenge.jpg", "w=160&f=jpeg&q=80"],
  "q20.png": ["stonehenge.jpg", "w=160&f=png&q=20"],
};

const folders = { jpg: "../../../tools/start/pictures", svg: "." };

/** The WebP picture, or the format of `f`, that a query gives of an image of the demo. */
export async function renderExample(image: string, query: string): Promise<Buffer> {
  const folder = folders[image.endsWith("svg") ? "svg" : "jpg"];
  const bytes = readFileSync(join(import.meta.dirname, folder, image));
  const { rungs, ...source } = await prepare(bytes, { namedCopy: false });
  const pairs = [...new URLSearchParams(query)].map(([key, value]) => [key, [value]]);
  const { request } = Request.parse(Object.fromEntries(pairs));
  const plan = Plan.plan(request, source, { avif: false, webp: true });
  const rung = Ladder.choose(plan, source, rungs);
  return (await render(rung?.data ?? bytes, plan, rung)).data;
}
