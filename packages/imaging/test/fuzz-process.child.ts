import { readFileSync, writeFileSync } from "node:fs";

import sharp from "sharp";

import * as Format from "../src/format.ts";
import { identify } from "../src/identify.ts";
import * as Ladder from "../src/ladder.ts";
import * as Plan from "../src/plan.ts";
import { type Prepared, prepare } from "../src/prepare.ts";
import { Refusal } from "../src/refusal.ts";
import { render } from "../src/render.ts";
import type { Request } from "../src/request.ts";

// The child process of fuzz-process.ts: each message with bytes gets one message with the outcome.

/** A small picture, one cropped by content, a trimmed one, and an animation. */
const requests: Request[] = [
  { w: 40, f: "jpeg", anim: false },
  { w: 30, h: 30, fit: "cover", pos: "attention", f: "avif", anim: false },
  { w: 300, f: "webp", anim: false, trim: 10 },
  { w: 200, anim: true, f: "gif" },
];

export type Trial = { bytes: Uint8Array; isQuick: boolean };

process.on(
  "message",
  ({ bytes, isQuick }: Trial) =>
    void run(Buffer.from(bytes), isQuick ? requests.slice(0, 1) : requests).then(sendOutcome),
);
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

async function run(bytes: Buffer, requests: Request[]) {
  resetPeakMemory();
  const before = peakMegabytes();
  const slowest = { slowestCall: "", cpuMs: 0 };
  const outcome = await ingestAndDeliver(bytes, requests, measure).catch(outcomeOfError);
  return { detail: "", ...outcome, ...slowest, heldMegabytes: peakMegabytes() - before };

  /** Keeps the call that uses the most processor time. */
  async function measure<T>(call: string, work: Promise<T>): Promise<T> {
    const used = process.cpuUsage();
    try {
      return await work;
    } finally {
      const { user, system } = process.cpuUsage(used);
      const cpuMs = (user + system) / 1000;
      if (cpuMs > slowest.cpuMs) Object.assign(slowest, { slowestCall: call, cpuMs });
    }
  }
}

type Measure = <T>(call: string, work: Promise<T>) => Promise<T>;

async function ingestAndDeliver(bytes: Buffer, requests: Request[], measure: Measure) {
  const header = await measure("identify", identify(bytes));
  const prepared = await measure("prepare", prepare(bytes, { namedCopy: true }));
  const { width, height, pages, format } = prepared;
  if (header.width !== width || header.height !== height)
    throw new Error("identify and prepare found different sizes");
  const source = { width, height, pages, format, hasAlpha: prepared.hasAlpha };
  for (const { data, ...rung } of prepared.rungs) await assertComplete(data, rung);
  if (prepared.namedCopy) await assertComplete(prepared.namedCopy.data);
  for (const request of requests)
    await measure(JSON.stringify(request), deliver(bytes, request, source, prepared.rungs));
  return { type: "picture", code: format };
}

/** An accepted image may still be refused in another size or format. */
async function deliver(
  bytes: Buffer,
  request: Request,
  source: Plan.Source,
  rungs: Prepared["rungs"],
) {
  try {
    const plan = Plan.plan(request, source, { avif: true, webp: true });
    // the original is the harder case, but delivery reads only rungs of what is decoded once
    const rung = Format.isDecodedOnce(source.format)
      ? Ladder.choose(plan, source, rungs)
      : undefined;
    const { data, ...size } = await render(rung?.data ?? bytes, plan, rung);
    await assertComplete(data, size);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

async function assertComplete(data: Buffer, size?: { width: number; height: number }) {
  const { width, height, pageHeight = height } = await sharp(data).metadata();
  if (size && (size.width !== width || size.height !== pageHeight))
    throw new Error(
      `the picture has ${width} × ${pageHeight} pixels instead of ${size.width} × ${size.height}`,
    );
  // decodes every pixel
  await sharp(data, { failOn: "warning" }).stats();
}

const outcomeOfError = (error: unknown) =>
  error instanceof Refusal
    ? { type: "refusal", code: error.code, detail: error.detail }
    : { type: "failure", code: String(error), detail: error instanceof Error ? error.stack : "" };

function sendOutcome(outcome: unknown) {
  process.send!(outcome);
}

const canMeasureMemory = process.platform === "linux";

/** https://www.man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html */
function resetPeakMemory() {
  if (canMeasureMemory) writeFileSync("/proc/self/clear_refs", "5");
}

/** The peak of resident memory since the last reset; 0 where it cannot be measured. */
function peakMegabytes(): number {
  if (!canMeasureMemory) return 0;
  const status = readFileSync("/proc/self/status", "latin1");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
