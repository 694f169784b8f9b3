import type { Metadata, Picture } from "./load-sharp.ts";

/** The numbers in which sharp processes an image after it has read its profile. */
export type InputColour =
  /** sRGB with 8 bits: a colour of a request has the same numbers. */
  | "srgb"
  /** Display P3: sharp's choice for 16 bits with a profile. It writes these numbers as if they were sRGB, so that every colour would be too dull. */
  | "p3"
  /** Gray with 16 bits and a profile, which sharp ignores. */
  | "gray-with-profile"
  /** Anything else that sharp converts to sRGB at its end: gray, 16 bits. */
  | "other";

/** See the processing profile in https://github.com/lovell/sharp/blob/v0.35.5/src/pipeline.cc */
export function inputColour({
  space,
  depth,
  hasProfile,
}: Pick<Metadata, "space" | "depth" | "hasProfile">): InputColour {
  if (space === "rgb16" && hasProfile) return "p3";
  if (space === "grey16" && hasProfile) return "gray-with-profile";
  // sharp converts CMYK by its profile before all other steps
  return space === "cmyk" || (space === "srgb" && depth === "uchar") ? "srgb" : "other";
}

/** Converts to sRGB, which a browser assumes for a picture without a profile. */
export function toSrgb(picture: Picture, colour: InputColour): Picture {
  // `toColourspace` also sets the colour space that sharp works in
  const result = picture.toColourspace("srgb");
  switch (colour) {
    case "p3":
      return result.withIccProfile("srgb", { attach: false });
    case "gray-with-profile":
      // sharp applies a gray profile only to 8 bits
      return result.pipelineColourspace("b-w");
    case "srgb":
    case "other":
      return result;
  }
}
