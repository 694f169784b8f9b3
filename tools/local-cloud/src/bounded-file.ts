import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
} from "node:fs";
import { dirname } from "node:path";

/** A file of lines that needs at most twice `maxBytes` on disk: a full file replaces `<path>.1`. */
export type BoundedFile = {
  append(line: string): void;
  /** Writes the lines that are still in memory. */
  close(): void;
};

/** How long a line may wait: one write for many lines, so that requests do not wait for the disk. */
const FLUSH_MS = 100;

export function openBoundedFile(
  path: string,
  maxBytes: number,
  warn: (message: string) => void,
): BoundedFile {
  mkdirSync(dirname(path), { recursive: true });
  const before = existsSync(path) ? endOf(path) : undefined;
  let size = before?.size ?? 0;
  // an incomplete last line of a killed process is ended first
  let lines = before?.isWhole === false ? [""] : [];
  let timer: NodeJS.Timeout | undefined;
  let works = true;

  const flush = () => {
    timer = undefined;
    if (lines.length === 0) return;
    const text = `${lines.join("\n")}\n`;
    lines = [];
    try {
      if (size > 0 && size + text.length > maxBytes) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      appendFileSync(path, text);
      size += Buffer.byteLength(text);
      works = true;
    } catch (error) {
      // a full disk must not fail requests; logged once, not for every line
      if (works) warn(`Cannot write ${path}: ${(error as Error).message}`);
      works = false;
    }
  };

  return {
    append(line) {
      lines.push(line);
      timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    close() {
      clearTimeout(timer);
      flush();
    },
  };
}

/** Returns the lines of such a file, oldest first. */
export function readBoundedFile(path: string): string[] {
  return [`${path}.1`, path].flatMap((file) =>
    existsSync(file) ? readFileSync(file, "utf8").split("\n") : [],
  );
}

function endOf(path: string) {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    if (size > 0) readSync(file, last, 0, 1, size - 1);
    return { size, isWhole: size === 0 || last[0] === LINE_FEED };
  } finally {
    closeSync(file);
  }
}

const LINE_FEED = 10;
