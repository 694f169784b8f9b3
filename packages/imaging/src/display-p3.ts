import type { Metadata, Picture } from "./load-sharp.ts";

/**
 * Whether sharp processes the image in Display P3. It does so with 16-bit images that have a profile, and writes P3's numbers
 * as if they were sRGB unless a profile is requested by name, so that every colour would be too dull. See the processing profile in
 * https://github.com/lovell/sharp/blob/v0.35.5/src/pipeline.cc
 */
export const isProcessedInP3 = ({
  space,
  hasProfile,
}: Pick<Metadata, "space" | "hasProfile">): boolean => space === "rgb16" && hasProfile;

/** Converts from Display P3 to sRGB. Use it only where `isProcessedInP3`, because it assumes P3 input. */
export const p3ToSrgb = (picture: Picture): Picture =>
  picture.withIccProfile("srgb", { attach: false });
