import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { StartError } from "./start-error.ts";

/** The folder of all state, used by one cloud at a time. */
export type DataFolder = {
  path: string;
  /** The outermost folder that was made for it; undefined if it existed. */
  made: string | undefined;
  db: DatabaseSync;
  /** Returns the value of `secret://name`: random, generated once and stored. */
  secret(name: string): string;
  close(): void;
};

/**
 * Opens the folder, and makes it if it does not exist.
 * @throws StartError when it cannot be made or written, or when another cloud uses it.
 */
export function openDataFolder(path: string): DataFolder {
  let made: string | undefined;
  try {
    made = make(path);
  } catch (error) {
    throw new StartError(
      `Cannot make the folder ${path} (${(error as Error).message}): choose another with --data.`,
    );
  }
  const lock = takeLock(path);
  let db: DatabaseSync;
  try {
    db = openState(path);
  } catch (error) {
    lock.close();
    throw toStartError(error, path) ?? error;
  }
  const insert = db.prepare("INSERT INTO secrets VALUES (?, ?) ON CONFLICT DO NOTHING");
  const select = db.prepare("SELECT value FROM secrets WHERE name = ?");

  return {
    path,
    made,
    db,
    secret(name) {
      insert.run(name, randomBytes(32).toString("base64url"));
      return (select.get(name) as { value: string }).value;
    },
    close() {
      db.close();
      lock.close();
    },
  };
}

function openState(path: string): DatabaseSync {
  const db = new DatabaseSync(join(path, "state.sqlite"), { timeout: 5_000 });
  try {
    // WAL with NORMAL loses nothing when the process is killed; a power failure may lose the last commits
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    db.exec(
      "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    );
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** https://www.sqlite.org/rescode.html, without the extended part */
const DAMAGED = [11, 26];
const CANNOT_WRITE = [8, 10, 13, 14];

/**
 * The error for the person who started the cloud, if a file of the data folder is damaged or cannot be written; undefined for
 * any other error.
 */
export function toStartError(error: unknown, path: string): StartError | undefined {
  const {
    message,
    code,
    errcode = 0,
    path: file = "",
  } = error as NodeJS.ErrnoException & {
    errcode?: number;
  };
  const sqliteCode = code === "ERR_SQLITE_ERROR" ? errcode & 0xff : 0;
  if (DAMAGED.includes(sqliteCode))
    return new StartError(
      `${join(path, "state.sqlite")} is damaged (${message}): choose another folder with --data, or delete ${path}, which loses the images in it.`,
      { cause: error },
    );
  const isOfFolder = /^(EACCES|EPERM|EROFS|ENOSPC)$/.test(code ?? "") && file.startsWith(path);
  if (CANNOT_WRITE.includes(sqliteCode) || isOfFolder)
    return new StartError(
      `Cannot write to the folder ${path} (${message}): allow it and free some space, or choose another folder with --data.`,
      { cause: error },
    );
  return undefined;
}

/** Returns the outermost folder that it has made. Without `recursive: true`, which never returns where a folder cannot be made, such as under /proc. */
function make(path: string): string | undefined {
  if (existsSync(path)) return undefined;
  const outermost = make(dirname(path)) ?? path;
  mkdirSync(path);
  return outermost;
}

/** The operating system releases this lock when the process ends, also when it is killed. */
function takeLock(path: string) {
  const file = join(path, "lock.sqlite");
  try {
    const lock = new DatabaseSync(file, { timeout: 0 });
    lock.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    if (/locked|busy/.test((error as Error).message)) {
      throw new StartError(
        `Another local cloud uses ${path}: stop it, or choose another folder with --data.`,
      );
    }
    // it holds no data
    if (DAMAGED.includes((error as { errcode?: number }).errcode ?? 0))
      throw new StartError(`${file} is damaged: delete this file, which is only a lock.`);
    throw new StartError(
      `Cannot write to the folder ${path} (${(error as Error).message}): choose another with --data.`,
    );
  }
}
