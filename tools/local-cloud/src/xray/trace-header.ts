import { randomHex } from "../random.ts";

/** The fields of `X-Amzn-Trace-Id`. https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
export type TraceHeader = {
  root?: string | undefined;
  parent?: string | undefined;
  /** Undefined if the sender leaves the decision to the receiver. */
  isSampled?: boolean | undefined;
  lineage?: string | undefined;
};

export function parse(text: string | undefined): TraceHeader {
  const header: TraceHeader = {};
  for (const field of text?.split(";") ?? []) {
    const at = field.indexOf("=");
    const value = field.slice(at + 1).trim();
    switch (field.slice(0, at).trim().toLowerCase()) {
      case "root":
        header.root ??= value;
        break;
      case "parent":
        header.parent ??= value;
        break;
      case "lineage":
        header.lineage ??= value;
        break;
      case "sampled":
        if (value === "1" || value === "0") header.isSampled ??= value === "1";
    }
  }
  return header;
}

export const format = (root: string, parent: string, isSampled: boolean, lineage?: string) =>
  `Root=${root};Parent=${parent};Sampled=${isSampled ? 1 : 0}${lineage ? `;Lineage=${lineage}` : ""}`;

export function newRoot(nowMs = Date.now()) {
  return `1-${Math.floor(nowMs / 1000).toString(16)}-${randomHex(12)}`;
}

/** Returns a new id of a segment. */
export const newId = () => randomHex(8);

/** Returns whether X-Ray accepts the text as the id of a trace: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids */
export const isRoot = (text: string | undefined): text is string =>
  text !== undefined && /^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(text);

export const isId = (text: string | undefined): text is string =>
  text !== undefined && /^[0-9a-f]{16}$/.test(text);
