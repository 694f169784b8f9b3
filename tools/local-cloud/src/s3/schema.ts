import type { DatabaseSync } from "node:sqlite";

/** `latest` is 1 for the newest version of a key; `marker` is 1 for a delete marker, which has no bytes. Copies may share segments. */
export const create = (db: DatabaseSync) =>
  db.exec(`
    CREATE TABLE IF NOT EXISTS s3_version (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL,
      latest INTEGER NOT NULL, marker INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
      headers TEXT NOT NULL, checksum TEXT, modified INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS s3_version_latest ON s3_version(bucket, key) WHERE latest = 1;
    CREATE INDEX IF NOT EXISTS s3_version_history ON s3_version(bucket, key, seq DESC);
    CREATE UNIQUE INDEX IF NOT EXISTS s3_version_id ON s3_version(bucket, key, version_id);
    CREATE TABLE IF NOT EXISTS s3_segment (
      version INTEGER NOT NULL, position INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
      PRIMARY KEY (version, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS s3_segment_blob ON s3_segment(blob);
    CREATE TABLE IF NOT EXISTS s3_upload (
      id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL,
      algorithm TEXT, initiated INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS s3_upload_key ON s3_upload(bucket, key, initiated);
    CREATE TABLE IF NOT EXISTS s3_part (
      upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
      md5 TEXT NOT NULL, checksum TEXT, modified INTEGER NOT NULL, PRIMARY KEY (upload, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS s3_part_blob ON s3_part(blob);
    CREATE TABLE IF NOT EXISTS s3_sequencer (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO s3_sequencer VALUES (1, 0);
  `);
