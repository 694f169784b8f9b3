import type { Step } from "./step.ts";

/** Writes the credit as the picture's only metadata. EXIF's text is ASCII: libvips escapes other characters. */
export const writeExif: Step = (picture, { credit }) => {
  if (!credit) return picture;
  const IFD0 = {
    ...(credit.artist && { Artist: protectEnd(credit.artist) }),
    ...(credit.copyright && { Copyright: protectEnd(credit.copyright) }),
  };
  return picture.withExif({ IFD0 });
};

/** libvips removes a parenthesis with three commas at the end of a text, which it takes for its own annotation. This adds one, so that a text keeps its own. */
const protectEnd = (text: string) => `${text} (,,,)`;
