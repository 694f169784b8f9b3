import type { ImageBytes } from "./image-bytes.ts";
import type { Plan } from "./plan.ts";
import type { Kind } from "./refusal.ts";

// The child process of worker-process.ts. Imported, this module only gives its URL; started, it works on the jobs it receives.

/** The URL of this file, also inside a bundle. */
export const file = import.meta.url;

export type Job =
  | { kind: "precheck"; image: Buffer; size: number }
  | { kind: "prepare"; image: ImageBytes; namedCopy: boolean }
  | { kind: "render"; image: ImageBytes; plan: Plan }
  | { kind: "renderInto"; file: string; image: ImageBytes; plan: Plan };

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
  const { Refusal } = await import("./refusal.ts");
  try {
    return { type: "value", value: await valueOf(job) };
  } catch (error) {
    if (error instanceof Refusal)
      return { type: "refusal", kind: error.kind, code: error.code, detail: error.detail };
    return {
      type: "error",
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

/** A process of Deliver renders and does not prepare, so each kind of work is loaded by its first job. */
async function valueOf(job: Job): Promise<unknown> {
  switch (job.kind) {
    case "precheck":
      return (await import("./identify.ts")).precheck(job.image, job.size);
    case "prepare":
      return (await import("./prepare.ts")).prepare(job.image, { namedCopy: job.namedCopy });
    case "render":
      return (await import("./render.ts")).render(job.image, job.plan);
    case "renderInto":
      return (await import("./render.ts")).renderInto(job.file, job.image, job.plan);
  }
}
