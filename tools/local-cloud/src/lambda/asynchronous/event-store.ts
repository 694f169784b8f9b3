import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../../clock.ts";

/** An event that Lambda has accepted and not yet processed. */
export type AsynchronousEvent = {
  id: string;
  functionArn: string;
  payload: string;
  acceptedAt: number;
  /** How often the function has failed with it. */
  attempts: number;
};

/** Lambda's internal queue of asynchronous events, on disk. Every method is synchronous, and part of the transaction that is open on the connection. */
export type AsynchronousEvents = {
  accept(functionArn: string, payload: string): string;
  /** Returns the events that are due, oldest first. They stay until `finish`: after a kill they are due again. */
  due(max: number): AsynchronousEvent[];
  /** Makes an event due again in `ms` milliseconds; `counts` adds one to its attempts. */
  postpone(id: string, ms: number, counts: boolean): void;
  /** Removes an event that succeeded or was discarded. */
  finish(id: string): void;
  /** Returns when the next event is due, in milliseconds since the epoch. */
  nextDue(): number | undefined;
  /** Calls `listener` after the commit that accepted an event; returns a function that stops that. */
  onAccept(listener: () => void): () => void;
};

export function createAsynchronousEvents(db: DatabaseSync, clock: Clock): AsynchronousEvents {
  db.exec(`CREATE TABLE IF NOT EXISTS queue_invocations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, function TEXT NOT NULL, payload TEXT NOT NULL,
    accepted_at INTEGER NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS queue_invocations_due ON queue_invocations (due_at, seq)`);
  const insert = db.prepare(
    "INSERT INTO queue_invocations (id, function, payload, accepted_at, due_at) VALUES (?, ?, ?, ?, ?)",
  );
  const due = db.prepare(
    `SELECT id, function AS functionArn, payload, accepted_at AS acceptedAt, attempts
     FROM queue_invocations WHERE due_at <= ? ORDER BY due_at, seq LIMIT ?`,
  );
  const postpone = db.prepare(
    "UPDATE queue_invocations SET due_at = ?, attempts = attempts + ? WHERE id = ?",
  );
  const remove = db.prepare("DELETE FROM queue_invocations WHERE id = ?");
  const next = db.prepare("SELECT min(due_at) AS at FROM queue_invocations");
  const listeners = new Set<() => void>();

  return {
    accept(functionArn, payload) {
      const id = randomUUID();
      const now = clock.now();
      insert.run(id, functionArn, payload, now, now);
      setImmediate(() => listeners.forEach((listener) => listener()));
      return id;
    },
    due: (max) => due.all(clock.now(), max) as unknown as AsynchronousEvent[],
    postpone: (id, ms, counts) => void postpone.run(clock.now() + ms, counts ? 1 : 0, id),
    finish: (id) => void remove.run(id),
    nextDue: () => (next.get() as { at: number | null }).at ?? undefined,
    onAccept(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
