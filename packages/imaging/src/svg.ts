import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** What may stand before the root: each pattern is tried where the last one ended, so hostile text cannot make them try again. */
const PROLOGUE = [
  /\s+/y,
  /<\?xml[^>]*>/y,
  /<!--[\s\S]*?-->/y,
  /<!DOCTYPE[^>[]*(?:\[[^\]]*\][^>]*)?>/iy,
];

/** Whether the text starts as an SVG document does: mark, declaration, comments and document type may come first. */
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
 * A drawing is only ever rasterised, never handed on, so its scripts and links stay dead: librsvg runs none and, reading from memory, has no base to load from.
 * What could still hurt is its own size: entities that multiply (billion laughs), pictures in pictures, and drawing without end, none of which a pixel limit of ours would see.
 */
export async function check(bytes: Buffer): Promise<void> {
  if (bytes.length > Limits.MAX_SVG_BYTES) throw tooManyBytes(bytes.length);
  const text = bytes.toString("utf8");
  if (/<!ENTITY|<!ATTLIST/i.test(text))
    throw new Refusal(
      "unsupported",
      "image.svg_entities",
      "The SVG declares entities or attributes of its own; write their values out",
    );
  // another encoding would let librsvg read other text than is checked here
  if (/^\uFEFF?\s*<\?xml[^>]*encoding\s*=\s*["'](?!utf-?8["'])/i.test(text.slice(0, 200)))
    throw new Refusal("unsupported", "image.svg_encoding", "The SVG is not encoded in UTF-8");
  if (/<(?:\w+:)?(?:image|feImage)[\s/>]/i.test(text))
    throw new Refusal(
      "unsupported",
      "image.svg_images",
      "The SVG embeds other pictures; only drawn shapes and text are accepted",
    );
  // the parser is loaded for the few that are drawings
  const { check: checkWork } = await import("./svg-cost.ts");
  checkWork(text);
}

export const tooManyBytes = (size: number): Refusal =>
  new Refusal(
    "too_large",
    "image.too_many_bytes",
    `The SVG has ${size} bytes; at most ${Limits.MAX_SVG_BYTES} are accepted`,
  );
