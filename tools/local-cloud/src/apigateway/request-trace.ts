import { randomHex } from "../random.ts";

import * as TraceHeader from "../xray/trace-header.ts";

/** The trace of a request, and the ids of its segments in it. */
export type Trace = {
  root: string;
  /** The stage's segment. */
  id: string;
  /** The segment of the client, if it sent one. */
  parentId: string | undefined;
  /** The stage's subsegment for its integration. */
  callId: string;
  isSampled: boolean;
  lineage: string;
  /** `X-Amzn-Trace-Id` for the integration and the client. */
  header: string;
};

/**
 * The client's `Root` is kept, `Parent` is new, `Lineage` is added. [V-AWS] The client's sampling decision is kept, too.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
export function create(sent: string | undefined, nowMs: number, sample: () => boolean): Trace {
  const asked = TraceHeader.parse(sent);
  const root = asked.root ?? TraceHeader.newRoot(nowMs);
  const hex = randomHex(20);
  const [id, callId] = [hex.slice(0, 16), hex.slice(16, 32)];
  const isSampled = asked.isSampled ?? sample();
  const lineage = `1:${hex.slice(32)}:0`;
  const header = TraceHeader.format(root, callId, isSampled, lineage);
  return { root, id, parentId: asked.parent, callId, isSampled, lineage, header };
}
