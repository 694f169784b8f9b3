import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { Answer, Errand } from "./worker-process.child.ts";
import type { Prepared } from "./prepare.ts";
import { Refusal } from "./refusal.ts";

// The work on pictures from strangers, in a process of its own: decoders are native code, and nothing but the end of
// their process interrupts them or outlives their mistakes. The process is kept for the next picture.

export type Limit = { milliseconds: number };

let child: ChildProcess | undefined;
let turn: Promise<unknown> = Promise.resolve();

/** `identify`'s refusals that are certain from the first bytes of a picture of `size`; resolves when it takes more to say. */
export const glance = (head: Buffer, { size, ...limit }: Limit & { size: number }) =>
  inTurn({ door: "glance", bytes: head, size }, limit) as Promise<void>;

/** `prepare`, which is given up after the limit: its process is then ended, and the processor free at once. */
export const prepare = (bytes: Buffer, { publish, ...limit }: Limit & { publish: boolean }) =>
  inTurn({ door: "prepare", bytes, publish }, limit) as Promise<Prepared>;

/** One after the other: each may hold a whole decoded picture. */
function inTurn(errand: Errand, limit: Limit): Promise<unknown> {
  const mine = turn.then(() => carryOut(errand, limit));
  turn = mine.catch(() => {});
  return mine;
}

async function carryOut(errand: Errand, limit: Limit, isRepeated = false): Promise<unknown> {
  const start = performance.now();
  const own = await running();
  const outcome = await answered(own, errand, limit.milliseconds - (performance.now() - start));
  switch (outcome.kind) {
    case "value":
      return outcome.value;
    case "refusal":
      throw new Refusal(outcome.blame, outcome.code, outcome.detail);
    case "error":
      throw new Error(outcome.message);
    case "ended":
      if (isEndedByOthers(outcome.how))
        throw new Error(`the process for pictures ended (${outcome.how})`);
      // it may have died of what an earlier picture left behind
      if (!isRepeated) return carryOut(errand, limit, true);
      throw tooComplex(`ended the process that decoded it, twice (${outcome.how})`);
    case "late":
      throw tooComplex(
        `takes longer than ${Math.round(limit.milliseconds / 1000)} seconds to decode`,
      );
  }
}

type Outcome = Answer | { kind: "ended"; how: string } | { kind: "late" };

async function answered(own: ChildProcess, errand: Errand, milliseconds: number) {
  const over = new AbortController();
  const { signal } = over;
  const outcomes: Promise<Outcome>[] = [
    once(own, "message", { signal }).then(([answer]) => answer as Answer),
    once(own, "exit", { signal }).then(([code, by]) => ({ kind: "ended", how: `${by ?? code}` })),
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ kind: "late" }), Math.max(0, milliseconds));
      signal.addEventListener("abort", () => clearTimeout(timer));
    }),
  ];
  own.send(errand);
  try {
    const outcome = await Promise.race(outcomes);
    if (outcome.kind === "late") await end(own);
    return outcome;
  } finally {
    over.abort();
    for (const other of outcomes) other.catch(() => {});
  }
}

async function running(): Promise<ChildProcess> {
  if (child?.connected) return child;
  // by its own address: a bundle gives the file another name
  const { file } = await import("./worker-process.child.ts");
  const own = fork(fileURLToPath(file), { serialization: "advanced" });
  own.once("exit", () => {
    if (child === own) child = undefined;
  });
  // whoever has nothing else to do may end; the child ends with him
  own.unref();
  own.channel?.unref();
  child = own;
  return own;
}

/** No handler runs and no thread is waited for, as `process.exit` would. */
async function end(own: ChildProcess) {
  child = undefined;
  own.kill("SIGKILL");
  if (own.exitCode === null && own.signalCode === null) await once(own, "exit");
}

/** Somebody stops everything: it says nothing about the picture. */
const isEndedByOthers = (how: string) => ["SIGTERM", "SIGINT", "SIGHUP"].includes(how);

const tooComplex = (what: string) =>
  new Refusal("unprocessable", "image.too_complex", `The picture ${what}`);
