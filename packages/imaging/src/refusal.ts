/** The kind of a refusal, a subset of core's kinds; packages/http maps them to 400, 404, 415, 413 and 422. */
export type Kind = "invalid" | "not_found" | "unsupported" | "too_large" | "unprocessable";

/** One invalid key of a query. */
export type Problem = { key: string; value: string; detail: string };

/** An image or a request that is refused. `detail` may be shown to the client; every other error is a bug. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly kind: Kind;
  /** Stable, `noun.problem`. */
  readonly code: string;
  readonly detail: string;
  readonly problems: Problem[] | undefined;

  constructor(
    kind: Kind,
    code: string,
    detail: string,
    options: { cause?: unknown; problems?: Problem[] } = {},
  ) {
    super(detail, { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.detail = detail;
    this.problems = options.problems;
  }
}

/** libvips' messages for a file that ends early, by format; every other message of a decoder means damage. */
const ENDS_EARLY =
  /premature end|unexpected end|end of file|bad seek|read error|truncated|not enough data|unable to parse/i;

/** libtiff's message for a strip or a tile above its limit of 50 MB. */
const NEEDS_MEMORY = /memory allocation of .* is beyond/i;
/** libvips' messages for kinds of a format that its decoder does not have, and what to call them. */
const UNSUPPORTED: [RegExp, string][] = [
  [/Unsupported JPEG data precision (\d+)/, "a JPEG with $1 bits per sample instead of 8"],
  [/Unsupported JPEG process/, "a lossless or hierarchical JPEG"],
  [/bad labq format/, "a TIFF in the colour space CIE Lab with 8 bits instead of RGB"],
  [/Old-style JPEG compression/i, "a TIFF with JPEG compression of the old style"],
  [
    /^(?!.*unsupported image format).*(?:unsupported|not supported|not implemented|not configured|can not handle|unknown photometric)/i,
    "of a kind of its format",
  ],
];

/** Errors that no image can cause: a bug, a wrong option for sharp, no memory, no disk space. libvips reports the first cause in the first line. */
const isOurFault = (error: Error) =>
  error.constructor !== Error ||
  "code" in error ||
  /^Expected .* but received|out of memory|no space left|unable to (open|write)/i.test(
    firstLine(error),
  );

const firstLine = ({ message }: Error) => message.split("\n")[0] ?? "";

/**
 * Runs decoding work and turns libvips' errors about the input into refusals.
 *
 * @throws image.too_complex, image.unsupported, image.truncated or image.damaged
 */
export async function refuseBadInput<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error) || isOurFault(error)) throw error;
    const message = firstLine(error);
    if (/timeout/i.test(message))
      throw new Refusal(
        "unprocessable",
        "image.too_complex",
        "The image takes longer to decode than is allowed",
        { cause: error },
      );
    if (NEEDS_MEMORY.test(message))
      throw new Refusal(
        "unprocessable",
        "image.too_complex",
        "The image has parts that need more memory at once than is allowed; save it with smaller strips or tiles",
        { cause: error },
      );
    for (const [pattern, kind] of UNSUPPORTED) {
      const match = pattern.exec(message);
      if (match)
        throw new Refusal(
          "unsupported",
          "image.unsupported",
          `The image is ${kind.replace("$1", match[1] ?? "")}, which cannot be decoded here (${message})`,
          { cause: error },
        );
    }
    if (ENDS_EARLY.test(message))
      throw new Refusal(
        "unprocessable",
        "image.truncated",
        `The image ends before it is complete (${message})`,
        { cause: error },
      );
    throw new Refusal(
      "unprocessable",
      "image.damaged",
      `The image cannot be decoded (${message})`,
      {
        cause: error,
      },
    );
  }
}
