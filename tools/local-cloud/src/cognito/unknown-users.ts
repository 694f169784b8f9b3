import { createHmac, randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import * as Srp from "./srp.ts";
import type { Client, Pool } from "./user-pool.ts";

export type UnknownUsers = ReturnType<typeof createUnknownUsers>;

/**
 * What a client with `preventUserExistenceErrors` gets for a name that no user has: the same each time, and nothing that a
 * client could compute, because it is derived with a secret of the data folder.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
 */
export function createUnknownUsers(db: DatabaseSync) {
  const secret = openSecret(db);
  const digest = (pool: Pool, name: string, purpose: string) =>
    createHmac("sha256", secret)
      .update(`${pool.id} ${fold(pool, name)} ${purpose}`)
      .digest();

  return {
    /** Returns a salt and a verifier that no password solves. */
    secretOf: ({ pool }: Client, name: string): Srp.Secret => ({
      salt: Srp.createSalt(digest(pool, name, "salt").subarray(0, 16)),
      verifier: randomBytes(384).toString("hex"),
    }),

    /**
     * Returns the user name in the answer to the first half of SRP. AWS documents a UUID for every unknown name; here a name
     * that is not an address stays, as a user's own name does [choice].
     */
    usernameOf({ pool }: Client, name: string): string {
      if (!name.includes("@")) return fold(pool, name);
      const hex = digest(pool, name, "id").toString("hex");
      return [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `4${hex.slice(13, 16)}`,
        `8${hex.slice(17, 20)}`,
        hex.slice(20, 32),
      ].join("-");
    },

    /** Returns an address whose masked form is that of a user's. */
    addressOf({ pool }: Client, name: string): string {
      if (name.includes("@")) return fold(pool, name);
      const [first = 0, second = 0] = digest(pool, name, "address");
      return `${letter(first)}@${letter(second)}`;
    },
  };
}

const fold = (pool: Pool, name: string) => (pool.caseSensitive ? name : name.toLowerCase());

const letter = (byte: number) => String.fromCharCode(97 + (byte % 26));

function openSecret(db: DatabaseSync): Uint8Array {
  db.exec("CREATE TABLE IF NOT EXISTS identity_unknown_users (secret BLOB NOT NULL) STRICT");
  const select = db.prepare("SELECT secret FROM identity_unknown_users");
  if (!select.get())
    db.prepare("INSERT INTO identity_unknown_users VALUES (?)").run(randomBytes(32));
  return (select.get() as { secret: Uint8Array }).secret;
}
