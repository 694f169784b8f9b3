// The package `fresh` does not fit: it reads Cache-Control of the request too, and matches a tag without quotes.

/** The entity tags of a header in their order, `*` included, each as it was sent. */
export const parse = (header: string | undefined): string[] =>
  header?.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];

/**
 * Whether `If-None-Match` names the ETag. The comparison is weak (RFC 9110, section 13.1.2), because a CDN that compresses a
 * response makes `W/"…"` of its ETag.
 */
export const matches = (eTag: string, ifNoneMatch: string | undefined): boolean =>
  parse(ifNoneMatch).some((each) => each === "*" || each.replace(/^W\//, "") === eTag);

/** Whether `If-Range` names the ETag. The comparison is strong (RFC 9110, section 13.1.5), and a date never matches. */
export const isSame = (eTag: string, ifRange: string): boolean => ifRange.trim() === eTag;
