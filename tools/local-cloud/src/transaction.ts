import type { DatabaseSync } from "node:sqlite";

/** Returns what `work` returns, run in one transaction: in the one that is open on this connection, or else in a new one. */
export function inTransaction<R>(db: DatabaseSync, work: () => R): R {
  if (db.isTransaction) return work();
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}
