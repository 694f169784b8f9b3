import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Received } from "./blob-files.ts";
import type { Algorithm } from "./checksum.ts";
import type { Row } from "./store.ts";

export type Upload = {
  id: string;
  key: string;
  headers: Record<string, string>;
  algorithm?: Algorithm;
  initiated: number;
};

export type Part = {
  number: number;
  blob: string;
  size: number;
  md5: string;
  checksum?: string;
  modified: number;
};

export type Uploads = ReturnType<typeof openUploads>;

/** Multipart uploads that are neither completed nor aborted. */
export function openUploads(db: DatabaseSync) {
  const insert = db.prepare("INSERT INTO s3_upload VALUES (?, ?, ?, ?, ?, ?)");
  const find = db.prepare("SELECT * FROM s3_upload WHERE id = ? AND bucket = ? AND key = ?");
  const list = db.prepare(
    `SELECT * FROM s3_upload WHERE bucket = ? AND substr(key, 1, length(?2)) = ?2
     AND (key > ?3 OR (key = ?3 AND id > ?4)) ORDER BY key, id LIMIT ?5`,
  );
  const replacePart = db.prepare("INSERT OR REPLACE INTO s3_part VALUES (?, ?, ?, ?, ?, ?, ?)");
  const part = db.prepare("SELECT * FROM s3_part WHERE upload = ? AND number = ?");
  const parts = db.prepare(
    "SELECT * FROM s3_part WHERE upload = ? AND number > ? ORDER BY number LIMIT ?",
  );
  const dropParts = db.prepare("DELETE FROM s3_part WHERE upload = ?");
  const drop = db.prepare("DELETE FROM s3_upload WHERE id = ?");

  return {
    create(
      bucket: string,
      key: string,
      upload: Pick<Upload, "headers" | "algorithm">,
      now: number,
    ): string {
      const id = randomBytes(48).toString("base64url");
      insert.run(id, bucket, key, JSON.stringify(upload.headers), upload.algorithm ?? null, now);
      return id;
    },

    find(bucket: string, key: string, id: string): Upload | undefined {
      const row = find.get(id, bucket, key) as Row | undefined;
      return row && readUpload(row);
    },

    /** The uploads after a pair of key and id, in that order. */
    list: (
      bucket: string,
      prefix: string,
      afterKey: string,
      afterId: string,
      limit: number,
    ): Upload[] => (list.all(bucket, prefix, afterKey, afterId, limit) as Row[]).map(readUpload),

    /** Stores a part and returns the blob that had its number before. */
    putPart(id: string, number: number, received: Received, now: number): string[] {
      const old = part.get(id, number) as Row | undefined;
      const { blob, size, md5, checksum } = received;
      replacePart.run(id, number, blob, size, md5, checksum?.value ?? null, now);
      return old ? [String(old.blob)] : [];
    },

    part(id: string, number: number): Part | undefined {
      const row = part.get(id, number) as Row | undefined;
      return row && readPart(row);
    },

    parts: (id: string, after: number, limit: number): Part[] =>
      (parts.all(id, after, limit) as Row[]).map(readPart),

    /** Removes the upload and returns the blobs of its parts. */
    end(id: string): string[] {
      const blobs = (parts.all(id, 0, -1) as Row[]).map((row) => String(row.blob));
      dropParts.run(id);
      drop.run(id);
      return blobs;
    },
  };
}

const readUpload = (row: Row): Upload => ({
  id: String(row.id),
  key: String(row.key),
  headers: JSON.parse(String(row.headers)),
  ...(row.algorithm && { algorithm: row.algorithm as Algorithm }),
  initiated: Number(row.initiated),
});

const readPart = (row: Row): Part => ({
  number: Number(row.number),
  blob: String(row.blob),
  size: Number(row.size),
  md5: String(row.md5),
  ...(row.checksum && { checksum: String(row.checksum) }),
  modified: Number(row.modified),
});
