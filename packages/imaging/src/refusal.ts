/** The kind of the error. Packages that speak HTTP map it to a status: 400, 404, 415, 413, 422. */
export type Kind = "invalid" | "not_found" | "unsupported" | "too_large" | "unprocessable";

/** One thing wrong with one key of a query. */
export type Problem = { key: string; value: string; detail: string };

/** A client error: an image or a request that is not processed. `detail` may be shown to the client; every other error is a bug. */
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

/** libvips' words for a file that ends early, by format; every other complaint of a decoder is damage. */
const ENDS_EARLY =
  /premature end|unexpected end|end of file|bad seek|read error|truncated|not enough data|unable to parse/i;

/** What no picture can cause: a mistake of this code, sharp's word for a wrong option, no memory, no place on the disk. libvips names the first cause first, and what failed after it below. */
const isOurFault = (error: Error) =>
  error.constructor !== Error ||
  "code" in error ||
  /^Expected .* but received|out of memory|no space left|unable to (open|write)/i.test(
    firstLine(error),
  );

const firstLine = ({ message }: Error) => message.split("\n")[0] ?? "";

/** Runs decoding work; what libvips says late about the input becomes a refusal that says it plainly. */
export async function refuseBadInput<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error) || isOurFault(error)) throw error;
    const says = firstLine(error);
    if (/timeout/i.test(says))
      throw new Refusal(
        "unprocessable",
        "image.too_complex",
        "The picture takes longer to decode than is allowed",
        { cause: error },
      );
    if (ENDS_EARLY.test(says))
      throw new Refusal(
        "unprocessable",
        "image.truncated",
        `The picture ends before it is complete (${says})`,
        { cause: error },
      );
    throw new Refusal("unprocessable", "image.damaged", `The picture cannot be decoded (${says})`, {
      cause: error,
    });
  }
}
