import { readFileSync, writeFileSync } from "node:fs";

import sharp from "sharp";

import { identify } from "../src/identify.ts";
import * as Plan from "../src/plan.ts";
import { prepare } from "../src/prepare.ts";
import { Refusal } from "../src/refusal.ts";
import { render } from "../src/render.ts";
import type { Request } from "../src/request.ts";

// The inside of ordeal.ts: one message with bytes, one answer.

/** Small, through what decides by content, and moving. */
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
    void undergo(Buffer.from(bytes), isQuick ? requests.slice(0, 1) : requests).then(tell),
);
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

async function undergo(bytes: Buffer, requests: Request[]) {
  const held = memory(true);
  const doors = { slowest: "", cpu: 0 };
  const outcome = await both(bytes, requests, timed).catch(blamed);
  return { detail: "", ...outcome, ...doors, megabytes: memory(false) - held };

  /** One door is one call: what matters is the longest of them. */
  async function timed<T>(door: string, work: Promise<T>): Promise<T> {
    const used = process.cpuUsage();
    try {
      return await work;
    } finally {
      const { user, system } = process.cpuUsage(used);
      const cpu = (user + system) / 1000;
      if (cpu > doors.cpu) Object.assign(doors, { slowest: door, cpu });
    }
  }
}

type Timed = <T>(door: string, work: Promise<T>) => Promise<T>;

async function both(bytes: Buffer, requests: Request[], timed: Timed) {
  const header = await timed("identify", identify(bytes));
  const prepared = await timed("prepare", prepare(bytes, { publish: true }));
  const { width, height, pages, format } = prepared;
  if (header.width !== width || header.height !== height)
    throw new Error("the header said another size");
  const source = { width, height, pages, format, hasAlpha: prepared.hasAlpha };
  for (const { data, ...rung } of prepared.rungs) await isPicture(data, rung);
  if (prepared.published) await isPicture(prepared.published.data);
  for (const request of requests)
    await timed(JSON.stringify(request), delivered(bytes, request, source));
  return { kind: "picture", code: format };
}

/** A picture that arrived may still be refused in another size or format, in words. */
async function delivered(bytes: Buffer, request: Request, source: Plan.Source) {
  try {
    const plan = Plan.plan(request, source, { avif: true, webp: true });
    const { data, ...size } = await render(bytes, plan);
    await isPicture(data, size);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

async function isPicture(data: Buffer, size?: { width: number; height: number }) {
  const { width, height, pageHeight = height } = await sharp(data).metadata();
  if (size && (size.width !== width || size.height !== pageHeight))
    throw new Error(`made ${width} × ${pageHeight} instead of ${size.width} × ${size.height}`);
  // every pixel is there
  await sharp(data, { failOn: "warning" }).stats();
}

const blamed = (error: unknown) =>
  error instanceof Refusal
    ? { kind: "refusal", code: error.code, detail: error.detail }
    : { kind: "failure", code: String(error), detail: error instanceof Error ? error.stack : "" };

function tell(outcome: unknown) {
  process.send!(outcome);
}

/** Megabytes of resident memory; with `anew` the most is forgotten and what is held now is told. Only Linux knows. */
function memory(anew: boolean): number {
  if (process.platform !== "linux") return 0;
  // https://www.man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
  if (anew) writeFileSync("/proc/self/clear_refs", "5");
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1]) / 1024;
}
