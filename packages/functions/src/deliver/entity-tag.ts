// `"{rev}-{plan}"`: strong, since equal plans of the same original make equal bytes. A picture that was made better has
// other bytes, and another one.

/** The tags that a picture may have, before anybody has looked which of the two is there. */
export const tags = (rev: string, plan: string) => ({
  first: `"${rev}-${plan}"`,
  better: `"${rev}-${plan}-better"`,
});

/** Whether `If-None-Match` names it. It compares weakly (RFC 9110 §13.1.2), for a CDN that compresses makes `W/"…"` of ours. */
export function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  const tags = ifNoneMatch?.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag);
}

/** Whether `If-Range` names it: strongly, and a date names nothing here. */
export const isSame = (etag: string, ifRange: string): boolean => ifRange.trim() === etag;
