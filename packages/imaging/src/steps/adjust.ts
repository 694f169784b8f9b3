import type { Step } from "./step.ts";

/**
 * Changes brightness, contrast and saturation, each as CSS's filter of that name does; transparency stays. Together they differ
 * from CSS where values leave 0..255 on the way: CSS cuts them off after each filter, which loses more.
 * https://www.w3.org/TR/filter-effects-1/#supported-filter-functions
 */
export const adjust: Step = (picture, { brightness = 0, contrast = 0, saturation = 0 }) => {
  const [bright, strong] = [1 + brightness / 100, 1 + contrast / 100];
  // one multiplication for both, so that nothing is cut off between them
  const lit =
    bright === 1 && strong === 1 ? picture : picture.linear(bright * strong, 127.5 * (1 - strong));
  return saturation === 0 ? lit : lit.recomb(saturate(1 + saturation / 100));
};

/** The matrix of CSS's `saturate(s)`: https://www.w3.org/TR/filter-effects-1/#saturateEquivalent */
const saturate = (s: number): [Row, Row, Row] => [
  [0.213 + 0.787 * s, 0.715 - 0.715 * s, 0.072 - 0.072 * s],
  [0.213 - 0.213 * s, 0.715 + 0.285 * s, 0.072 - 0.072 * s],
  [0.213 - 0.213 * s, 0.715 - 0.715 * s, 0.072 + 0.928 * s],
];
type Row = [number, number, number];
