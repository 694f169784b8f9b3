/** A week, as S3 allows for its presigned URLs. One signature cannot be revoked: removing its key revokes all of that key. */
export const MAX_LIFETIME_SECONDS = 7 * 24 * 3600;
