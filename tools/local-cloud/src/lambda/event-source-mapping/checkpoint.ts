import type { DatabaseSync } from "node:sqlite";

export type Checkpoints = ReturnType<typeof openCheckpoints>;

/** The last processed record of each shard, on disk: after a kill a mapping continues behind its last success. */
export function openCheckpoints(db: DatabaseSync, mapping: string) {
  db.exec(`CREATE TABLE IF NOT EXISTS mapping_checkpoints (
    mapping TEXT NOT NULL, shard TEXT NOT NULL, sequence TEXT, finished INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (mapping, shard)
  ) STRICT, WITHOUT ROWID`);
  const save =
    db.prepare(`INSERT INTO mapping_checkpoints (mapping, shard, sequence) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET sequence = excluded.sequence`);
  const finish =
    db.prepare(`INSERT INTO mapping_checkpoints (mapping, shard, finished) VALUES (?, ?, 1)
    ON CONFLICT DO UPDATE SET finished = 1`);
  const find = db.prepare(
    "SELECT sequence, finished FROM mapping_checkpoints WHERE mapping = ? AND shard = ?",
  );
  const any = db.prepare("SELECT 1 FROM mapping_checkpoints WHERE mapping = ? LIMIT 1");
  return {
    /** False for a mapping that has never run. */
    exist: () => any.get(mapping) !== undefined,
    /** `sequence` is that of the last processed record; undefined at the beginning of the shard. */
    get(shard: string): { sequence: string | undefined; isFinished: boolean } {
      const row = find.get(mapping, shard) as
        | { sequence: string | null; finished: number }
        | undefined;
      return { sequence: row?.sequence ?? undefined, isFinished: row?.finished === 1 };
    },
    save: (shard: string, sequence: string | undefined) =>
      void save.run(mapping, shard, sequence ?? null),
    finish: (shard: string) => void finish.run(mapping, shard),
  };
}
