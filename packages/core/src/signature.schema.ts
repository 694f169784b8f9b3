/** A week, as S3's own: a signature cannot be taken back but by taking its key away, and that takes away all of them. */
export const MAX_SECONDS = 7 * 24 * 3600;
