/** A like shows within a second of the click, on a list too; for so long one answer may serve a crowd. */
export const shared = { "cache-control": "public, max-age=1" };

/** May be kept, but is asked for again with its ETag each time. */
export const revalidated = { "cache-control": "public, max-age=0, must-revalidate" };

/** Depends on who asks: no cache in between may have it. */
export const personal = { "cache-control": "private, no-store" };
