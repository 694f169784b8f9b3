/** The modern formats a client says it can show. JPEG, PNG and GIF are not asked about: everything shows them. */
export type AcceptedFormats = { avif: boolean; webp: boolean };

/** Reads an `Accept` header (RFC 9110 §12.5.1). Wildcards promise nothing: curl sends the asterisks too and cannot show AVIF, so only a type that is named counts. */
export function acceptedFormats(header: string | undefined): AcceptedFormats {
  const named = new Map<string, number>();
  for (const part of (header ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = part.split(";").map((word) => word.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    named.set(type, weight === undefined ? 1 : Number(weight.slice(2)) || 0);
  }
  const shows = (type: string) => (named.get(type) ?? 0) > 0;
  return { avif: shows("image/avif"), webp: shows("image/webp") };
}
