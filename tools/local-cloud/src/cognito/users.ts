import { randomInt, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import { CognitoError, invalidParameter } from "./cognito-error.ts";
import { checkPassword } from "./password-policy.ts";
import type { Pool } from "./user-pool.ts";
import * as Srp from "./srp.ts";
import type { Totp } from "./totp.ts";

export type Status = "UNCONFIRMED" | "CONFIRMED" | "FORCE_CHANGE_PASSWORD" | "RESET_REQUIRED";

export type User = {
  username: string;
  status: Status;
  enabled: boolean;
  /** Including `sub`. */
  attributes: Record<string, string>;
  groups: string[];
  secret: Srp.Secret | undefined;
  totp?: Totp | undefined;
  /** The secret of an authenticator that has not shown a code yet. */
  pendingTotpSecret?: string | undefined;
  /** An address that replaces the present one when it is verified. */
  pendingEmail?: string | undefined;
  createdAt: number;
  modifiedAt: number;
};

export type Users = ReturnType<typeof createUsers>;

/** What a confirmation code is for. */
export type CodePurpose = "sign-up" | "password" | "attribute";

// "valid for 24 hours" for sign-up; one hour for a forgotten password
// https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html#limits-hard
const CODE_MS: Record<CodePurpose, number> = {
  "sign-up": 24 * 3600_000,
  attribute: 24 * 3600_000,
  password: 3600_000,
};

/** The users of all pools. Each change is one SQLite commit, so a killed process leaves no partial change. */
export function createUsers(db: DatabaseSync, clock: Clock) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS identity_users (
      pool TEXT, username TEXT, sub TEXT NOT NULL, email TEXT, body TEXT NOT NULL, PRIMARY KEY (pool, username)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS identity_users_email ON identity_users (pool, email);
    CREATE INDEX IF NOT EXISTS identity_users_sub ON identity_users (pool, sub);
    CREATE TABLE IF NOT EXISTS identity_codes (
      pool TEXT, username TEXT, purpose TEXT, code TEXT NOT NULL, expires INTEGER NOT NULL,
      PRIMARY KEY (pool, username, purpose)
    ) STRICT;
  `);
  const byName = db.prepare("SELECT body FROM identity_users WHERE pool = ? AND username = ?");
  const bySub = db.prepare("SELECT body FROM identity_users WHERE pool = ? AND sub = ?");
  const byEmail = db.prepare("SELECT body FROM identity_users WHERE pool = ? AND email = ?");
  const verifiedFirst = (one: User, other: User) =>
    Number(hasVerifiedEmail(other)) - Number(hasVerifiedEmail(one));
  const all = db.prepare("SELECT body FROM identity_users WHERE pool = ? ORDER BY username");
  const upsert = db.prepare(`INSERT INTO identity_users VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET email = excluded.email, body = excluded.body`);
  const removeUser = db.prepare("DELETE FROM identity_users WHERE pool = ? AND username = ?");
  const putCode = db.prepare("INSERT OR REPLACE INTO identity_codes VALUES (?, ?, ?, ?, ?)");
  const getCode = db.prepare(
    "SELECT code, expires FROM identity_codes WHERE pool = ? AND username = ? AND purpose = ?",
  );
  const dropCode = db.prepare(
    "DELETE FROM identity_codes WHERE pool = ? AND username = ? AND purpose = ?",
  );

  const read = (row: unknown): User | undefined =>
    row ? JSON.parse((row as { body: string }).body) : undefined;
  const fold = (pool: Pool, name: string) => (pool.caseSensitive ? name : name.toLowerCase());

  function find(pool: Pool, name: string): User | undefined {
    const folded = fold(pool, name);
    const named = read(byName.get(pool.id, folded)) ?? read(bySub.get(pool.id, name));
    if (named) return named;
    // several users may have an address, but only one has verified it
    const [byAddress] = byEmail
      .all(pool.id, folded)
      .map((row) => read(row)!)
      .toSorted(verifiedFirst);
    if (pool.usernameAttributes.includes("email")) return byAddress;
    const isAlias = pool.aliasAttributes.includes("email");
    return isAlias && byAddress && hasVerifiedEmail(byAddress) ? byAddress : undefined;
  }

  function save(pool: Pool, user: User): User {
    const saved = { ...user, modifiedAt: clock.now() };
    const { sub = "", email } = saved.attributes;
    const folded = email === undefined ? null : fold(pool, email);
    upsert.run(pool.id, user.username, sub, folded, JSON.stringify(saved));
    return saved;
  }

  return {
    find,
    save,
    list: (pool: Pool) => all.all(pool.id).map((row) => read(row)!),
    remove: (pool: Pool, user: User) => void removeUser.run(pool.id, user.username),

    create(
      pool: Pool,
      name: string,
      attributes: Record<string, string>,
      status: Status,
      password: string | undefined,
    ): User {
      if (password !== undefined) checkPassword(password, pool.passwords);
      // or a user could take a name that is another one's address [V-WILD]
      if (pool.aliasAttributes.includes("email") && name.includes("@"))
        throw invalidParameter(
          "Username cannot be of email format, since user pool is configured for email alias.",
        );
      if (find(pool, name))
        throw new CognitoError("UsernameExistsException", "User already exists");
      const sub = randomUUID();
      const usesEmail = pool.usernameAttributes.includes("email");
      if (usesEmail && !name.includes("@"))
        throw new CognitoError("InvalidParameterException", "Username should be an email.");
      const username = usesEmail ? sub : fold(pool, name);
      const now = clock.now();
      return save(pool, {
        username,
        status,
        enabled: true,
        attributes: { sub, ...(usesEmail && { email: name }), ...attributes },
        groups: [],
        secret: password === undefined ? undefined : secretOf(pool, username, password),
        createdAt: now,
        modifiedAt: now,
      });
    },

    setPassword(pool: Pool, user: User, password: string, status: Status): User {
      checkPassword(password, pool.passwords);
      return save(pool, { ...user, status, secret: secretOf(pool, user.username, password) });
    },

    hasPassword: (pool: Pool, user: User, password: string) =>
      user.secret !== undefined &&
      Srp.matchesPassword(poolName(pool), user.username, password, user.secret),

    /** @throws CognitoError AliasExistsException if another user has verified the address and may sign in with it. */
    assertEmailIsFree(pool: Pool, user: User, email: string) {
      if (!pool.aliasAttributes.includes("email") && !pool.usernameAttributes.includes("email"))
        return;
      const taken = byEmail
        .all(pool.id, fold(pool, email))
        .map((row) => read(row)!)
        .some((other) => other.username !== user.username && hasVerifiedEmail(other));
      if (taken)
        throw new CognitoError("AliasExistsException", "An account with the email already exists.");
    },

    createCode(pool: Pool, user: User, purpose: CodePurpose): string {
      const code = String(randomInt(1_000_000)).padStart(6, "0");
      putCode.run(pool.id, user.username, purpose, code, clock.now() + CODE_MS[purpose]);
      return code;
    },

    redeemCode(pool: Pool, user: User, purpose: CodePurpose, code: string) {
      const row = getCode.get(pool.id, user.username, purpose);
      if (!row || Number(row.expires) < clock.now())
        throw new CognitoError(
          "ExpiredCodeException",
          "Invalid code provided, please request a code again.",
        );
      if (row.code !== code)
        throw new CognitoError(
          "CodeMismatchException",
          "Invalid verification code provided, please try again.",
        );
      dropCode.run(pool.id, user.username, purpose);
    },
  };
}

const hasVerifiedEmail = ({ attributes }: User) => attributes.email_verified === "true";

/** Returns the part of a pool's id that SRP uses: what follows the region. */
export const poolName = (pool: Pool) => pool.id.split("_")[1] ?? pool.id;

const secretOf = (pool: Pool, username: string, password: string) =>
  Srp.createSecret(poolName(pool), username, password);
