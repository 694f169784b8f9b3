import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Folders in /tmp. A process that is killed leaves its own behind, and Lambda keeps /tmp for the next process of the same
// environment: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors

const PREFIX = "balde-";

let isClean: Promise<void> | undefined;

/** The path of a new folder, to be removed with `remove`. The first call removes what killed processes have left. */
export async function create(): Promise<string> {
  await (isClean ??= removeLeftovers());
  return mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

/** Removes the folder and what is in it. */
export const remove = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true });

/** Runs the work with the path of a file in a folder of its own, which is gone afterwards. */
export async function withFile<T>(work: (file: string) => Promise<T>): Promise<T> {
  const folder = await create();
  try {
    return await work(join(folder, "image"));
  } finally {
    await remove(folder);
  }
}

/** On the laptop, processes that run share the folder. */
async function removeLeftovers() {
  const names = await readdir(tmpdir()).catch(() => []);
  const leftovers = names.filter((name) => {
    const [, pid] = /^balde-(\d+)-/.exec(name) ?? [];
    return pid !== undefined && !isOtherProcess(Number(pid));
  });
  await Promise.all(
    // another user's cannot be removed
    leftovers.map((name) => remove(join(tmpdir(), name)).catch(() => {})),
  );
}

/** This process has no folder yet: what has its id is of an earlier process that had the same. */
function isOtherProcess(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
