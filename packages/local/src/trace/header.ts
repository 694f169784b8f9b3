import { randomBytes } from "node:crypto";

/** What `X-Amzn-Trace-Id` says. https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
export type Header = {
  root?: string | undefined;
  parent?: string | undefined;
  /** Undefined when whoever sent it left the decision to us. */
  isSampled?: boolean | undefined;
  lineage?: string | undefined;
};

export function parse(text: string | undefined): Header {
  if (!text) return {};
  const field = (name: string) =>
    new RegExp(`(?:^|;)\\s*${name}=([^;]+)`, "i").exec(text)?.[1]?.trim();
  const sampled = field("Sampled");
  return {
    root: field("Root"),
    parent: field("Parent"),
    isSampled: sampled === "1" ? true : sampled === "0" ? false : undefined,
    lineage: field("Lineage"),
  };
}

export const format = (root: string, parent: string, isSampled: boolean, lineage?: string) =>
  `Root=${root};Parent=${parent};Sampled=${isSampled ? 1 : 0}${lineage ? `;Lineage=${lineage}` : ""}`;

export function newRoot(nowMs = Date.now()) {
  return `1-${Math.floor(nowMs / 1000).toString(16)}-${randomBytes(12).toString("hex")}`;
}

/** Of a segment. */
export const newId = () => randomBytes(8).toString("hex");

/** X-Ray takes nothing else: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids */
export const isRoot = (text: string | undefined): text is string =>
  text !== undefined && /^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(text);

export const isId = (text: string | undefined): text is string =>
  text !== undefined && /^[0-9a-f]{16}$/.test(text);
