import { randomBytes, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import { ServiceError } from "../service-error.ts";
import * as Message from "./message.ts";

export type MessageRow = {
  seq: number;
  queue: string;
  id: string;
  body: string;
  attributes: string;
  system: string;
  sent_at: number;
  visible_at: number;
  receives: number;
  first_received_at: number | null;
  receipt: string | null;
  origin: string | null;
};

export type MessageCounts = { visible: number; inFlight: number; delayed: number };

/** SQLite's. */
const NO_LIMIT = -1;

/** Opens the table of the messages of all queues. A message is in flight while it has a receipt and is not visible. */
export function openMessageStore(db: DatabaseSync) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS queue_messages (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
      attributes TEXT NOT NULL, system TEXT NOT NULL, sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
      receives INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER, receipt TEXT, origin TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS queue_messages_visible ON queue_messages (queue, visible_at, seq);
    CREATE INDEX IF NOT EXISTS queue_messages_sent ON queue_messages (queue, sent_at)`);
  const insert = db.prepare(
    "INSERT INTO queue_messages (queue, id, body, attributes, system, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const findVisible = db.prepare(
    "SELECT * FROM queue_messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?",
  );
  const receive =
    db.prepare(`UPDATE queue_messages SET visible_at = ?, receives = receives + 1, receipt = ?,
    first_received_at = coalesce(first_received_at, ?) WHERE seq = ? RETURNING *`);
  const find = db.prepare("SELECT * FROM queue_messages WHERE seq = ? AND queue = ?");
  const remove = db.prepare("DELETE FROM queue_messages WHERE seq = ?");
  const setVisibleAt = db.prepare("UPDATE queue_messages SET visible_at = ? WHERE seq = ?");
  const undoReceive = db.prepare(
    "UPDATE queue_messages SET visible_at = ?, receives = receives - 1 WHERE seq = ? AND receipt = ?",
  );
  const expire = db.prepare("DELETE FROM queue_messages WHERE queue = ? AND sent_at <= ?");
  const move =
    db.prepare(`UPDATE queue_messages SET queue = ?, origin = ?, visible_at = ?, receives = 0,
    first_received_at = NULL, receipt = NULL WHERE seq = ?`);
  const purge = db.prepare("DELETE FROM queue_messages WHERE queue = ?");
  const next = db.prepare("SELECT min(visible_at) AS at FROM queue_messages WHERE queue = ?");
  const count = db.prepare(`SELECT count(*) AS total,
    count(*) FILTER (WHERE visible_at > :now AND receipt IS NOT NULL) AS inFlight,
    count(*) FILTER (WHERE visible_at > :now AND receipt IS NULL) AS delayed
    FROM queue_messages WHERE queue = :queue`);

  return {
    insert(
      queue: string,
      body: string,
      options: Message.SendOptions,
      now: number,
      visibleAt: number,
    ) {
      const id = randomUUID();
      const system = JSON.stringify({
        ...(options.senderId ? { SenderId: options.senderId } : {}),
        ...(options.traceHeader ? { AWSTraceHeader: options.traceHeader } : {}),
      });
      insert.run(queue, id, body, JSON.stringify(options.attributes ?? {}), system, now, visibleAt);
      return id;
    },
    /** The messages that may be received, the longest visible first. */
    findVisible: (queue: string, now: number, max = NO_LIMIT) =>
      findVisible.all(queue, now, max) as unknown as MessageRow[],
    receive(row: MessageRow, now: number, visibleAt: number): MessageRow {
      const receipt = `${row.seq}.${randomBytes(16).toString("base64url")}`;
      return receive.get(visibleAt, receipt, now, row.seq) as unknown as MessageRow;
    },
    /** The row of a receipt handle; undefined if the message was deleted or received again since. */
    findByReceipt(queue: string, receipt: string): MessageRow | undefined {
      const seq = /^(\d+)\.[\w-]{22}$/.exec(receipt)?.[1];
      if (!seq)
        throw new ServiceError(
          "com.amazonaws.sqs#ReceiptHandleIsInvalid",
          `The input receipt handle "${receipt}" is not a valid receipt handle.`,
        );
      const row = find.get(Number(seq), queue) as MessageRow | undefined;
      return row?.receipt === receipt ? row : undefined;
    },
    remove: (row: MessageRow) => remove.run(row.seq),
    setVisibleAt: (row: MessageRow, at: number) => setVisibleAt.run(at, row.seq),
    undoReceive: (receipt: string, at: number) =>
      undoReceive.run(at, Number(receipt.split(".")[0]), receipt),
    expire: (queue: string, sentBefore: number) => expire.run(queue, sentBefore),
    move: (row: MessageRow, to: string, from: string | null, at: number) =>
      move.run(to, from, at, row.seq),
    purge: (queue: string) => purge.run(queue),
    nextVisible: (queue: string) => (next.get(queue) as { at: number | null }).at ?? undefined,
    count(queue: string, now: number): MessageCounts {
      const { total, inFlight, delayed } = count.get({ now, queue }) as Record<
        "total" | "inFlight" | "delayed",
        number
      >;
      return { visible: total - inFlight - delayed, inFlight, delayed };
    },
  };
}

export function toMessage(row: MessageRow): Message.Message {
  return {
    messageId: row.id,
    receiptHandle: row.receipt ?? "",
    body: row.body,
    bodyMd5: Message.md5(row.body),
    attributes: {
      ...(JSON.parse(row.system) as Record<string, string>),
      SentTimestamp: String(row.sent_at),
      ApproximateReceiveCount: String(row.receives),
      ApproximateFirstReceiveTimestamp: String(row.first_received_at),
      ...(row.origin ? { DeadLetterQueueSourceArn: row.origin } : {}),
    },
    messageAttributes: JSON.parse(row.attributes) as Message.MessageAttributes,
  };
}
