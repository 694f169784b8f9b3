import type { Step } from "./step.ts";

/** Puts see-through pixels on the background, white where none was given or it is see-through itself: a JPEG has to show something. */
export const flatten: Step = (picture, { flatten, background = "ffffff" }) => {
  if (!flatten) return picture;
  const isOpaque = background.length === 6 || background.endsWith("ff");
  return picture.flatten({ background: isOpaque ? `#${background}` : "#ffffff" });
};
