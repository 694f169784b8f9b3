import type { Step } from "./step.ts";

/** Writes who made the picture into it, which leaves behind everything else that its metadata said. EXIF's text is ASCII: libvips spells the rest with it. */
export const writeExif: Step = (picture, { credit }) => {
  if (!credit) return picture;
  const IFD0 = {
    ...(credit.artist && { Artist: whole(credit.artist) }),
    ...(credit.copyright && { Copyright: whole(credit.copyright) }),
  };
  return picture.withExif({ IFD0 });
};

/** libvips takes a bracket with three commas at the end of a text for a note of its own and drops it; a text that ends in one must not lose it. */
const whole = (text: string) => `${text} (,,,)`;
