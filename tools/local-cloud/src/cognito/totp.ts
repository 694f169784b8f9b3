import { Secret, TOTP } from "otpauth";

/** The authenticator app of a user: a time-based one-time password of RFC 6238 with six digits and steps of 30 seconds. */
export type Totp = {
  /** In base32. */
  secret: string;
  /** A first code was right. */
  isVerified: boolean;
  /** Whether a sign-in asks for a code. */
  isPreferred: boolean;
  /** The time step of the code that was used last. */
  usedStep: number;
};

const STEP_MS = 30_000;
// 256 bits, as AWS's secrets of 52 characters
const SECRET_BYTES = 32;

/** Returns a new secret in base32. */
export const createSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

/** Returns the time step whose code this is: the present one, or one before or after it. */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  const delta = new TOTP({ secret }).validate({ token: code, timestamp: now, window: 1 });
  return delta === null ? undefined : Math.floor(now / STEP_MS) + delta;
}
