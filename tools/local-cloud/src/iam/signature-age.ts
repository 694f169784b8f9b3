import type { Clock } from "../clock.ts";

/** Both in milliseconds; negative for a date in the future. */
export type SignatureAge = {
  /** The time since the signature was made, which its lifetime limits. */
  age: number;
  /** How far the signer's clock differs from the service's. */
  skew: number;
};

/**
 * Returns the age of a signature's date in a cloud whose clock can be moved. Functions sign with the moved clock, as it was
 * when their invocation began; all other programs sign with the real one. The key tells which: only functions have the
 * temporary keys of a role.
 */
export const signatureAge =
  (clock: Clock) =>
  (
    signedAt: number,
    signer: { accessKeyId: string; sessionToken?: string | undefined } | undefined,
  ): SignatureAge =>
    signer?.sessionToken === undefined
      ? { age: clock.sinceReal(signedAt), skew: Date.now() - signedAt }
      : { age: clock.now() - signedAt, skew: clock.differenceTo(signedAt) };
