import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** Whether the text starts as an SVG document does: mark, declaration, comments and document type may come first. */
export function looksLike(bytes: Buffer): boolean {
  const start = bytes.toString("utf8", 0, 4096).replace(/^\uFEFF/, "");
  return /^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--[\s\S]*?-->\s*)*(?:<!DOCTYPE[^[>]*(?:\[[\s\S]*?\])?\s*>\s*)?(?:<!--[\s\S]*?-->\s*)*<svg[\s/>]/i.test(
    start,
  );
}

/**
 * A drawing is only ever rasterised, never handed on, so its scripts and links stay dead: librsvg runs none and, reading from memory, has no base to load from.
 * What could still hurt is its own size: entities that multiply (billion laughs) and pictures in pictures, which no pixel limit of ours would see.
 */
export function check(bytes: Buffer): void {
  if (bytes.length > Limits.MAX_SVG_BYTES)
    throw new Refusal(
      "too_large",
      "image.too_many_bytes",
      `The SVG has ${bytes.length} bytes; at most ${Limits.MAX_SVG_BYTES} are accepted`,
    );
  const text = bytes.toString("utf8");
  if (/<!ENTITY/i.test(text))
    throw new Refusal(
      "unsupported",
      "image.svg_entities",
      "The SVG declares entities; write its values out",
    );
  if (/<(?:\w+:)?(?:image|feImage)[\s/>]/i.test(text))
    throw new Refusal(
      "unsupported",
      "image.svg_images",
      "The SVG embeds other pictures; only drawn shapes and text are accepted",
    );
}
