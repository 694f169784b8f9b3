import type { Step } from "./step.ts";

/** Puts transparent pixels on the background; on white if there is none or it is transparent itself, because a JPEG has no transparency. */
export const flatten: Step = (picture, { flatten, background = "ffffff" }) => {
  if (!flatten) return picture;
  const isOpaque = background.length === 6 || background.endsWith("ff");
  return picture.flatten({ background: isOpaque ? `#${background}` : "#ffffff" });
};
