import * as XmpPacket from "../xmp-packet.ts";
import type { Step } from "./step.ts";

/** Writes the credit as the picture's only metadata: in EXIF, whose text is ASCII, or in XMP if another character is in it. libvips would write a question mark or a similar letter. */
export const writeExif: Step = (picture, { credit }) => {
  if (!credit) return picture;
  const { artist, copyright } = credit;
  const IFD0 = {
    ...(isAscii(artist) && { Artist: protectEnd(artist) }),
    ...(isAscii(copyright) && { Copyright: protectEnd(copyright) }),
  };
  const isComplete = Object.values(credit).every(isAscii);
  const withXmp = isComplete ? picture : picture.withXmp(XmpPacket.create(credit));
  return Object.keys(IFD0).length > 0 ? withXmp.withExif({ IFD0 }) : withXmp;
};

const isAscii = (text: string | undefined): text is string =>
  text !== undefined && /^[\x20-\x7e]*$/.test(text);

/** libvips removes a parenthesis with three commas at the end of a text, which it takes for its own annotation. This adds one, so that a text keeps its own. */
const protectEnd = (text: string) => `${text} (,,,)`;
