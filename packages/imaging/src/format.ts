/** What a delivered picture can be, and what each can carry. */
export const formats = {
  avif: {
    contentType: "image/avif",
    extension: "avif",
    carriesAlpha: true,
    moves: false,
    carriesText: true,
  },
  webp: {
    contentType: "image/webp",
    extension: "webp",
    carriesAlpha: true,
    moves: true,
    carriesText: true,
  },
  jpeg: {
    contentType: "image/jpeg",
    extension: "jpg",
    carriesAlpha: false,
    moves: false,
    carriesText: true,
  },
  png: {
    contentType: "image/png",
    extension: "png",
    carriesAlpha: true,
    moves: false,
    carriesText: true,
  },
  gif: {
    contentType: "image/gif",
    extension: "gif",
    carriesAlpha: true,
    moves: true,
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
} as const;

/** What an uploaded picture can be. */
export type Input = keyof typeof inputs;

/** Only in these are several pictures one that moves: a TIFF's are the pages of a document or its smaller copies, an AVIF's are views of one thing. Of those the first is the picture. */
export const hasFrames = (input: Input): boolean => input === "gif" || input === "webp";

export const contentType = (input: Input): string => inputs[input];

export const byContentType = (type: string): Input | undefined =>
  (Object.keys(inputs) as Input[]).find((input) => inputs[input] === type);
