/** The modern formats that a client accepts. JPEG, PNG and GIF are left out, because every client shows them. */
export type AcceptedFormats = { avif: boolean; webp: boolean };

/** The formats that an `Accept` header names (RFC 9110, section 12.5.1). Wildcards do not count, because clients that cannot show AVIF send them too. */
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
