import type { Kind } from "./refusal.ts";

// The inside of apart.ts. Imported it only says where it is; started it works on what it is sent.

export const file = import.meta.url;

export type Errand =
  | { door: "glance"; bytes: Uint8Array; size: number }
  | { door: "prepare"; bytes: Uint8Array; publish: boolean };

export type Answer =
  | { kind: "value"; value: unknown }
  | { kind: "refusal"; blame: Kind; code: string; detail: string }
  | { kind: "error"; message: string };

if (import.meta.main) serve();

function serve() {
  process.on(
    "message",
    (errand: Errand) => void run(errand).then((answer) => process.send!(answer)),
  );
  // `process.exit` would wait for the decoder's threads
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // Ctrl-C reaches every process of a terminal; the one that started this one decides
  process.on("SIGINT", () => {});
}

async function run(errand: Errand): Promise<Answer> {
  const [{ glance }, { prepare }, { Refusal }] = await Promise.all([
    import("./identify.ts"),
    import("./prepare.ts"),
    import("./refusal.ts"),
  ]);
  const bytes = Buffer.from(errand.bytes.buffer, errand.bytes.byteOffset, errand.bytes.byteLength);
  try {
    const value =
      errand.door === "glance"
        ? await glance(bytes, errand.size)
        : await prepare(bytes, { publish: errand.publish });
    return { kind: "value", value };
  } catch (error) {
    if (error instanceof Refusal)
      return { kind: "refusal", blame: error.kind, code: error.code, detail: error.detail };
    return {
      kind: "error",
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}
