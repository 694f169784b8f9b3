import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** Patterns for the text before the root element. Each is tried where the last one ended, so that hostile text cannot cause backtracking. */
const PROLOGUE = [
  /\s+/y,
  /<\?xml[^>]*>/y,
  /<!--[\s\S]*?-->/y,
  /<!DOCTYPE[^>[]*(?:\[[^\]]*\][^>]*)?>/iy,
];

/** Whether the text begins like an SVG document: byte order mark, declaration, comments and document type may come first. */
export function looksLike(bytes: Buffer): boolean {
  const start = bytes.toString("utf8", 0, 4096).replace(/^\uFEFF/, "");
  const matches = (pattern: RegExp) => ((pattern.lastIndex = at), pattern.test(start));
  let at = 0;
  for (
    let step = PROLOGUE.find(matches);
    step && step.lastIndex > at;
    step = PROLOGUE.find(matches)
  )
    at = step.lastIndex;
  return matches(/<svg[\s/>]/iy);
}

/**
 * Checks an SVG. It is only rasterised and never passed on, so its scripts and links have no effect: librsvg runs none and,
 * reading from memory, has no base URL to load from. Dangerous are entities that multiply, embedded images, and drawings that
 * take too long, none of which a pixel limit finds.
 *
 * @throws image.too_many_bytes, image.svg_entities, image.svg_encoding, image.svg_images, or as svg-cost.ts does
 */
export async function check(bytes: Buffer): Promise<void> {
  if (bytes.length > Limits.MAX_SVG_BYTES) throw tooManyBytes(bytes.length);
  const text = bytes.toString("utf8");
  if (/<!ENTITY|<!ATTLIST/i.test(text))
    throw new Refusal(
      "unsupported",
      "image.svg_entities",
      "The SVG declares entities or attributes; write their values out",
    );
  // with another encoding librsvg would read other text than is checked here
  if (/^\uFEFF?\s*<\?xml[^>]*encoding\s*=\s*["'](?!utf-?8["'])/i.test(text.slice(0, 200)))
    throw new Refusal("unsupported", "image.svg_encoding", "The SVG is not encoded in UTF-8");
  if (/<(?:\w+:)?(?:image|feImage)[\s/>]/i.test(text))
    throw new Refusal(
      "unsupported",
      "image.svg_images",
      "The SVG embeds other images; only shapes and text are accepted",
    );
  // the parser is loaded only for SVG
  const { check: checkWork } = await import("./svg-cost.ts");
  checkWork(text);
}

/** The refusal of an SVG with `size` bytes. */
export const tooManyBytes = (size: number): Refusal =>
  new Refusal(
    "too_large",
    "image.too_many_bytes",
    `The SVG has ${size} bytes; at most ${Limits.MAX_SVG_BYTES} are accepted`,
  );
