/** The formats of delivered pictures, with their properties. */
export const formats = {
  avif: {
    contentType: "image/avif",
    extension: "avif",
    carriesAlpha: true,
    canBeAnimated: false,
    carriesText: true,
  },
  webp: {
    contentType: "image/webp",
    extension: "webp",
    carriesAlpha: true,
    canBeAnimated: true,
    carriesText: true,
  },
  jpeg: {
    contentType: "image/jpeg",
    extension: "jpg",
    carriesAlpha: false,
    canBeAnimated: false,
    carriesText: true,
  },
  png: {
    contentType: "image/png",
    extension: "png",
    carriesAlpha: true,
    canBeAnimated: false,
    carriesText: true,
  },
  gif: {
    contentType: "image/gif",
    extension: "gif",
    carriesAlpha: true,
    canBeAnimated: true,
    carriesText: false,
  },
} as const;

export type Format = keyof typeof formats;

const inputs = {
  jpeg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
  gif: "image/gif",
  avif: "image/avif",
  tiff: "image/tiff",
  svg: "image/svg+xml",
  heic: "image/heic",
  avis: "image/avif-sequence",
} as const;

/** The formats of uploaded images, with their content types. */
export type Input = keyof typeof inputs;

/** Whether several pages of the format are an animation. A TIFF's pages are those of a document or smaller copies, an AVIF's are views of one object; only the first of those is used. */
export const hasFrames = (input: Input): boolean => input === "gif" || input === "webp";

/** Whether the original is decoded only at ingest, and everything is delivered from its rungs, of which the largest has the size of the original. */
export const isDecodedOnce = (input: string): boolean =>
  input === "svg" || input === "heic" || input === "avis";

/** The content type of an uploaded format. */
export const contentType = (input: Input): string => inputs[input];

/** The uploaded format with a content type. */
export const byContentType = (type: string): Input | undefined =>
  (Object.keys(inputs) as Input[]).find((input) => inputs[input] === type);
