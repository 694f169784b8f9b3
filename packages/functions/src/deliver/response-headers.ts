import { formats } from "@balde/imaging/format";
import type { Plan } from "@balde/imaging/plan";
import type { Request } from "@balde/imaging/request";

type Address = {
  rev?: string | undefined;
  preset?: string | undefined;
  /** The image has another size than was asked for. */
  isSnapped?: boolean;
  isPublic: boolean;
  /** When the signature expires, in seconds since 1970. */
  expiresAt?: number | undefined;
};

/** `Cache-Control` and `Vary`. A shared cache keeps no private image, and no cache keeps an image for longer than its signature is valid. */
export function caching(address: Address, request: Request): Record<string, string> {
  const { isPublic, expiresAt } = address;
  const { maxAge, directives } = lifetime(address);
  const validFor =
    expiresAt === undefined ? Infinity : Math.max(0, expiresAt - Math.floor(Date.now() / 1000));
  const cacheControl = [
    isPublic ? "public" : "private",
    `max-age=${Math.min(maxAge, validFor)}`,
    ...(expiresAt === undefined ? directives : ["must-revalidate"]),
  ];
  return {
    "Cache-Control": cacheControl.join(", "),
    ...((request.f ?? "auto") === "auto" && { Vary: "Accept" }),
  };
}

/**
 * `maxAge` in seconds. A revision never changes. The next deployment may change a preset, and a size that was rounded may be
 * exact when the budget has room again. Without a revision the image may be replaced or deleted.
 */
function lifetime({ rev, preset, isSnapped }: Address): { maxAge: number; directives: string[] } {
  if (rev === undefined) return { maxAge: 60, directives: ["must-revalidate"] };
  if (preset !== undefined || isSnapped) return { maxAge: 86_400, directives: [] };
  return { maxAge: 31_536_000, directives: ["immutable"] };
}

/** Images come from strangers: a browser shows them as images or not at all. Any page may read them, because they are public. */
export const safety: Record<string, string> = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers":
    "ETag, Content-Disposition, Content-Length, Content-Location, Content-Range, Server-Timing, Retry-After, Vary, x-amzn-RequestId",
  "Timing-Allow-Origin": "*",
};

/** Headers that describe the body. With `dl`, a browser saves it under that name, and with `dl=1` under the name of the file that was uploaded, or the image's name. */
export function content(
  { id, fileName }: { id: string; fileName: string | undefined },
  plan: Plan,
  dl: string | undefined,
): Record<string, string> {
  const { contentType, extension } = formats[plan.encoding.format];
  return {
    "Content-Type": contentType,
    "Accept-Ranges": "bytes",
    "Content-Disposition":
      dl === undefined
        ? `inline; filename="${id}.${extension}"`
        : attachment(dl === OWN_NAME ? (fileName ?? id) : dl, extension),
  };
}

/** The value of `dl` for the image's own file name. */
const OWN_NAME = "1";

/** The file name twice, in ASCII for old browsers and exactly for new ones (RFC 6266, section 4.3). The extension is the format's, which with `f=auto` the client does not know. */
function attachment(name: string, extension: string) {
  const fileName = withExtension(name, extension);
  const ascii = fileName
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^\x20-\x7e]|["\\%]/gu, "_");
  const exact = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${exact}`;
}

/** The name with the extension of its format. An extension of another image format is replaced; what only looks like one, as in `v1.2`, stays. */
function withExtension(name: string, extension: string): string {
  const [, stem, ending] = /^(.*[^.])\.([^.]+)$/su.exec(name) ?? [];
  const format = FORMATS_BY_ENDING.get(ending?.toLowerCase() ?? "");
  if (format === undefined) return `${name}.${extension}`;
  return format === extension ? name : `${stem}.${extension}`;
}

/** The usual extensions of image files, with the one that this service writes for the same format. */
const FORMATS_BY_ENDING = new Map<string, string>(
  Object.entries({
    ...Object.fromEntries(
      ["avif", "webp", "jpg", "png", "gif", "tif", "svg", "heic"].map((one) => [one, one]),
    ),
    jpeg: "jpg",
    jpe: "jpg",
    jfif: "jpg",
    pjpeg: "jpg",
    apng: "png",
    tiff: "tif",
    heif: "heic",
    hif: "heic",
    avifs: "avif",
    svgz: "svg",
    bmp: "bmp",
    dng: "dng",
  }),
);
