import { randomBytes } from "node:crypto";

/** `X-Amzn-Trace-Id`. */
export type Trace = { root: string; header: string };

/**
 * The client's `Root` is kept, `Parent` is new, `Lineage` is added. [V-AWS]
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
export function create(sent: string | undefined, nowMs: number, sampled: boolean): Trace {
  const root = sent?.match(/(?:^|;)\s*Root=([^;]+)/i)?.[1] ?? newRoot(nowMs);
  const asked = sent?.match(/(?:^|;)\s*Sampled=([01])/i)?.[1];
  const id = randomBytes(12).toString("hex");
  return {
    root,
    header: `Root=${root};Parent=${id.slice(0, 16)};Sampled=${asked ?? (sampled ? "1" : "0")};Lineage=1:${id.slice(16)}:0`,
  };
}

function newRoot(nowMs: number) {
  const seconds = Math.floor(nowMs / 1000).toString(16);
  return `1-${seconds}-${randomBytes(12).toString("hex")}`;
}
