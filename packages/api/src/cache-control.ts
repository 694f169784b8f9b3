/** For lists that anyone may read. One second, because a like must be visible within a second of the click. */
export const publicForOneSecond = { "cache-control": "public, max-age=1" };

/** For responses with an ETag that anyone may read: cached, but revalidated with the ETag on every use. */
export const publicRevalidated = { "cache-control": "public, max-age=0, must-revalidate" };

/** For responses that depend on the user: no cache may store them. */
export const privateUncached = { "cache-control": "private, no-store" };
