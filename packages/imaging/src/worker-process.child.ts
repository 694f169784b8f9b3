import type { Kind } from "./refusal.ts";

// The child process of worker-process.ts. Imported, this module only gives its URL; started, it works on the jobs it receives.

/** The URL of this file, also inside a bundle. */
export const file = import.meta.url;

export type Job =
  | { kind: "precheck"; bytes: Uint8Array; size: number }
  | { kind: "prepare"; bytes: Uint8Array; namedCopy: boolean };

export type JobResult =
  | { type: "value"; value: unknown }
  | { type: "refusal"; kind: Kind; code: string; detail: string }
  | { type: "error"; message: string };

if (import.meta.main) serve();

function serve() {
  process.on("message", (job: Job) => void run(job).then((result) => process.send!(result)));
  // `process.exit` would wait for the decoder's threads
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // Ctrl-C reaches every process of a terminal; the parent decides when this one ends
  process.on("SIGINT", () => {});
}

async function run(job: Job): Promise<JobResult> {
  const [{ precheck }, { prepare }, { Refusal }] = await Promise.all([
    import("./identify.ts"),
    import("./prepare.ts"),
    import("./refusal.ts"),
  ]);
  const bytes = Buffer.from(job.bytes.buffer, job.bytes.byteOffset, job.bytes.byteLength);
  try {
    const value =
      job.kind === "precheck"
        ? await precheck(bytes, job.size)
        : await prepare(bytes, { namedCopy: job.namedCopy });
    return { type: "value", value };
  } catch (error) {
    if (error instanceof Refusal)
      return { type: "refusal", kind: error.kind, code: error.code, detail: error.detail };
    return {
      type: "error",
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}
