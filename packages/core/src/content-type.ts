/** The type of bytes of which nothing is known. */
const UNKNOWN = "application/octet-stream";

/** Names that browsers and phones give to the types of `CONTENT_TYPES`. */
const ALIASES: Partial<Record<string, string>> = {
  "image/jpg": "image/jpeg",
  "image/pjpeg": "image/jpeg",
  "image/jfif": "image/jpeg",
  "image/x-png": "image/png",
  "image/apng": "image/png",
  "image/tif": "image/tiff",
  "image/svg": "image/svg+xml",
};

/**
 * The type that a client declares, by its usual name, without parameters and in lower case; `application/octet-stream` for
 * none. undefined if it is the type of something else than an image. Of an image, the bytes decide, whatever is declared.
 */
export function parse(declared: string | undefined): string | undefined {
  const type = declared?.split(";")[0]!.trim().toLowerCase() || UNKNOWN;
  if (type !== UNKNOWN && !/^image\/[\w.+-]+$/.test(type)) return undefined;
  return ALIASES[type] ?? type;
}
