/** Whether `If-None-Match` names the tag. It compares weakly (RFC 9110 §13.1.2), because a CDN that compresses makes `W/"…"` of ours. */
export function matches(etag: string, ifNoneMatch: string | undefined): boolean {
  const tags = ifNoneMatch?.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag);
}

/** Whether `If-Range` names the tag: strongly, and a date never does. */
export const isSame = (etag: string, ifRange: string): boolean => ifRange.trim() === etag;
