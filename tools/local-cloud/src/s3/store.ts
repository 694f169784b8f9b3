import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Segment } from "./blob-files.ts";
import type { Algorithm } from "./checksum.ts";

type Checksum = { algorithm: Algorithm; value: string; type: "FULL_OBJECT" | "COMPOSITE" };

/** The data of a write: everything about an object except its key and its position in the history. */
export type Draft = {
  segments: Segment[];
  size: number;
  /** Without quotes. */
  etag: string;
  /** `content-type`, `cache-control` …, `x-amz-meta-…`. */
  headers: Record<string, string>;
  checksum?: Checksum | undefined;
};

export type Version = Omit<Draft, "segments"> & {
  seq: number;
  key: string;
  versionId: string;
  latest: boolean;
  marker: boolean;
  modified: number;
};

export type Versioning = "Enabled" | "Suspended" | undefined;

export type Store = ReturnType<typeof openStore>;

/** The versions of every key. Changes run within `transaction`; blobs without a version are passed to `discard` after the commit. */
export function openStore(db: DatabaseSync, discard: (blobs: string[]) => void) {
  const one = (sql: string) => {
    const statement = db.prepare(sql);
    return (...values: (string | number | null)[]) => statement.get(...values) as Row | undefined;
  };
  const many = (sql: string) => {
    const statement = db.prepare(sql);
    return (...values: (string | number | null)[]) => statement.all(...values) as Row[];
  };
  const current = one("SELECT * FROM s3_version WHERE bucket = ? AND key = ? AND latest = 1");
  const exact = one("SELECT * FROM s3_version WHERE bucket = ? AND key = ? AND version_id = ?");
  const insert = one(
    `INSERT INTO s3_version (bucket, key, version_id, latest, marker, size, etag, headers, checksum, modified)
     VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?) RETURNING *`,
  );
  const nextObject = one(
    `SELECT * FROM s3_version WHERE bucket = ? AND latest = 1 AND marker = 0 AND key >= ?
     ORDER BY key LIMIT 1`,
  );
  const older = one(
    "SELECT * FROM s3_version WHERE bucket = ? AND key = ? AND seq < ? ORDER BY seq DESC LIMIT 1",
  );
  const nextKey = one(
    "SELECT * FROM s3_version WHERE bucket = ? AND key > ? ORDER BY key, seq DESC LIMIT 1",
  );
  const segmentsOf = many("SELECT blob, size FROM s3_segment WHERE version = ? ORDER BY position");
  const insertSegment = one("INSERT INTO s3_segment VALUES (?, ?, ?, ?)");
  const dropSegments = one("DELETE FROM s3_segment WHERE version = ?");
  const drop = one("DELETE FROM s3_version WHERE seq = ?");
  const age = one("UPDATE s3_version SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1");
  const promote = one(
    `UPDATE s3_version SET latest = 1 WHERE seq =
     (SELECT seq FROM s3_version WHERE bucket = ? AND key = ? ORDER BY seq DESC LIMIT 1)`,
  );
  const count = one("UPDATE s3_sequencer SET value = value + 1 RETURNING value");
  const isNamed = one(
    "SELECT 1 FROM s3_segment WHERE blob = ?1 UNION ALL SELECT 1 FROM s3_part WHERE blob = ?1 LIMIT 1",
  );

  let freed: string[] = [];

  const remove = (bucket: string, { seq, key, latest }: Version) => {
    freed.push(...segmentsOf(seq).map((row) => String(row.blob)));
    dropSegments(seq);
    drop(seq);
    if (latest) promote(bucket, key);
  };

  const add = (bucket: string, key: string, versioning: Versioning, now: number, draft?: Draft) => {
    const id = versioning === "Enabled" ? randomBytes(24).toString("base64url") : "null";
    const replaced = id === "null" ? exact(bucket, key, id) : undefined;
    if (replaced) remove(bucket, read(replaced));
    age(bucket, key);
    const { size = 0, etag = "", headers = {}, checksum, segments = [] } = draft ?? {};
    const texts = [JSON.stringify(headers), checksum ? JSON.stringify(checksum) : null] as const;
    const row = insert(bucket, key, id, draft ? 0 : 1, size, etag, ...texts, now);
    const version = read(row!);
    for (const [position, segment] of segments.entries())
      insertSegment(version.seq, position, segment.blob, segment.size);
    return version;
  };

  return {
    isNamed: (blob: string) => isNamed(blob) !== undefined,

    /** Runs `body` as one commit; everything in it must be synchronous. */
    transaction<T>(body: () => T): T {
      freed = [];
      db.exec("BEGIN IMMEDIATE");
      let result: T;
      try {
        result = body();
        db.exec("COMMIT");
      } catch (error) {
        db.exec("ROLLBACK");
        throw error;
      }
      discard(freed.filter((blob) => !isNamed(blob)));
      return result;
    },

    /** The newest version, which may be a delete marker. */
    current: (bucket: string, key: string) => maybe(current(bucket, key)),

    version: (bucket: string, key: string, versionId: string) =>
      maybe(exact(bucket, key, versionId)),

    /** For listings: the next visible object at or after the cursor. */
    nextObject:
      (bucket: string) =>
      ({ key }: Cursor): Version | undefined =>
        maybe(nextObject(bucket, key)),

    /** For listings: the next version or delete marker at or after the cursor, newest first within a key. */
    nextVersion:
      (bucket: string) =>
      ({ key, below }: Cursor): Version | undefined =>
        maybe(older(bucket, key, below ?? Number.MAX_SAFE_INTEGER) ?? nextKey(bucket, key)),

    segments: ({ seq }: Version): Segment[] =>
      segmentsOf(seq).map((row) => ({ blob: String(row.blob), size: Number(row.size) })),

    add,

    /** Adds a delete marker to the key. */
    mark: (bucket: string, key: string, versioning: Versioning, now: number) =>
      add(bucket, key, versioning, now),

    /** Removes one version permanently. */
    remove,

    /** Discards the blobs of a replaced part, or of an ended upload. */
    free: (blobs: string[]) => void freed.push(...blobs),

    /** The sequencer of an event: of one key, greater text means later. */
    nextSequencer: () => Number(count()!.value).toString(16).toUpperCase().padStart(18, "0"),
  };
}

/** The position of a listing: at or after `key`; versions of that key must have a `seq` below `below`. */
export type Cursor = { key: string; below?: number };

export type Row = Record<string, string | number | null>;

const maybe = (row: Row | undefined) => row && read(row);

const read = (row: Row): Version => ({
  seq: Number(row.seq),
  key: String(row.key),
  versionId: String(row.version_id),
  latest: row.latest === 1,
  marker: row.marker === 1,
  size: Number(row.size),
  etag: String(row.etag),
  headers: JSON.parse(String(row.headers)),
  checksum: row.checksum ? JSON.parse(String(row.checksum)) : undefined,
  modified: Number(row.modified),
});
