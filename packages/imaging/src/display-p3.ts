import type { Metadata, Picture } from "./load-sharp.ts";

/**
 * Whether sharp converts the image to Display P3 and processes it there: images of 16 bits per channel with a profile. Without
 * a named output profile sharp then writes the P3 values as if they were sRGB (`processingProfile` in
 * https://github.com/lovell/sharp/blob/v0.35.5/src/pipeline.cc): colours would be too dull.
 */
export const isProcessedInP3 = ({
  space,
  hasProfile,
}: Pick<Metadata, "space" | "hasProfile">): boolean => space === "rgb16" && hasProfile;

/** The picture converted from Display P3 to sRGB. Only correct if `isProcessedInP3`, because it takes the input for P3. */
export const p3ToSrgb = (picture: Picture): Picture =>
  picture.withIccProfile("srgb", { attach: false });
