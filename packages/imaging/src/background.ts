// Backgrounds are hexadecimal colours of sRGB: `rrggbb`, or `rrggbbaa` with alpha.

/** Whether nothing is seen through the colour; false for no colour. */
export const isOpaque = (colour: string | undefined): boolean =>
  colour !== undefined && (colour.length === 6 || colour.endsWith("ff"));

/** Whether the colour is fully transparent. */
export const isInvisible = (colour: string): boolean =>
  colour.length === 8 && colour.endsWith("00");

/** The opaque colour that is seen when the colour lies on white, for formats without transparency. */
export function onWhite(colour: string): string {
  const [red = 0, green = 0, blue = 0, alpha = 255] = Buffer.from(colour, "hex");
  const mixed = [red, green, blue].map((part) =>
    Math.round((part * alpha + 255 * (255 - alpha)) / 255),
  );
  return Buffer.from(mixed).toString("hex");
}
