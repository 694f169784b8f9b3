import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import { CognitoError, notAuthorized } from "./cognito-error.ts";
import type { Pool } from "./user-pool.ts";

// "after five failed sign-in attempts … locks out your user for 2^(n-5) seconds", "up to approximately 15 minutes", until a
// sign-in succeeds or 15 minutes have passed without an attempt:
// https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html#authentication-flow-lockout-behavior
const FREE_FAILURES = 5;
const LONGEST_LOCK_OUT_MS = 15 * 60_000;

// "In a given hour, we allow between 5 and 20 attempts for a user to request or enter a password reset code":
// https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
const CODE_ATTEMPTS_PER_HOUR = 20;
const HOUR_MS = 3_600_000;

export type FailedAttempts = ReturnType<typeof createFailedAttempts>;

/**
 * Counts failed sign-ins and attempts with codes, by pool and user name. A name that no user has is counted too, or the
 * counting would tell which names exist; AWS does not document this [choice]. Kept in the database, so that a restart
 * forgets nothing.
 */
export function createFailedAttempts(db: DatabaseSync, clock: Clock) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS identity_failed_sign_ins (
      pool TEXT, username TEXT, failures INTEGER NOT NULL, locked_until INTEGER NOT NULL, last INTEGER NOT NULL,
      PRIMARY KEY (pool, username)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS identity_code_attempts (
      pool TEXT, username TEXT, attempts INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (pool, username)
    ) STRICT;
  `);
  const read = db.prepare(
    "SELECT failures, locked_until, last FROM identity_failed_sign_ins WHERE pool = ? AND username = ?",
  );
  const write = db.prepare(
    "INSERT OR REPLACE INTO identity_failed_sign_ins VALUES (?, ?, ?, ?, ?)",
  );
  const touch = db.prepare(
    "UPDATE identity_failed_sign_ins SET last = ? WHERE pool = ? AND username = ?",
  );
  const remove = db.prepare("DELETE FROM identity_failed_sign_ins WHERE pool = ? AND username = ?");
  const removeOld = db.prepare("DELETE FROM identity_failed_sign_ins WHERE last < ?");
  const readCodes = db.prepare(
    "SELECT attempts, since FROM identity_code_attempts WHERE pool = ? AND username = ?",
  );
  const writeCodes = db.prepare(
    "INSERT OR REPLACE INTO identity_code_attempts VALUES (?, ?, ?, ?)",
  );
  const removeOldCodes = db.prepare("DELETE FROM identity_code_attempts WHERE since < ?");

  function failuresOf(pool: Pool, username: string) {
    const row = read.get(pool.id, username);
    if (!row || Number(row.last) + LONGEST_LOCK_OUT_MS <= clock.now())
      return { failures: 0, until: 0 };
    return { failures: Number(row.failures), until: Number(row.locked_until) };
  }

  return {
    /** @throws CognitoError NotAuthorizedException while the user is locked out. The attempt does not lengthen it. */
    assertNotLockedOut(pool: Pool, username: string) {
      if (failuresOf(pool, username).until <= clock.now()) return;
      touch.run(clock.now(), pool.id, username);
      throw notAuthorized("Password attempts exceeded");
    },

    countFailedSignIn(pool: Pool, username: string) {
      const now = clock.now();
      removeOld.run(now - LONGEST_LOCK_OUT_MS);
      const failures = failuresOf(pool, username).failures + 1;
      const lockOut =
        failures < FREE_FAILURES
          ? 0
          : Math.min(1000 * 2 ** (failures - FREE_FAILURES), LONGEST_LOCK_OUT_MS);
      write.run(pool.id, username, failures, now + lockOut, now);
    },

    forgetFailedSignIns: (pool: Pool, username: string) => void remove.run(pool.id, username),

    /** Counts a request for a password reset code, or a code that is given. @throws CognitoError LimitExceededException after 20 in an hour */
    countCodeAttempt(pool: Pool, username: string) {
      const now = clock.now();
      removeOldCodes.run(now - HOUR_MS);
      const row = readCodes.get(pool.id, username);
      const attempts = Number(row?.attempts ?? 0);
      if (attempts >= CODE_ATTEMPTS_PER_HOUR)
        throw new CognitoError(
          "LimitExceededException",
          "Attempt limit exceeded, please try after some time.",
        );
      writeCodes.run(pool.id, username, attempts + 1, Number(row?.since ?? now));
    },
  };
}
