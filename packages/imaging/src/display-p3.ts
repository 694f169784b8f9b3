import type { Metadata, Picture } from "./load-sharp.ts";

/**
 * sharp takes a picture of 16 bits that carries a profile to Display P3, works on it there, and writes P3's numbers as if they
 * were sRGB's unless a profile is asked for by name (`processingProfile` in
 * https://github.com/lovell/sharp/blob/v0.35.5/src/pipeline.cc): every colour would leave duller than it is.
 */
export const isProcessedInP3 = ({
  space,
  hasProfile,
}: Pick<Metadata, "space" | "hasProfile">): boolean => space === "rgb16" && hasProfile;

/** From Display P3 to sRGB; to be asked for only where `isDeep`, because it believes that P3 is what comes. */
export const p3ToSrgb = (picture: Picture): Picture =>
  picture.withIccProfile("srgb", { attach: false });
