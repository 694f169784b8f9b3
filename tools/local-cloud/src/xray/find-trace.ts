import { readBoundedFile } from "../bounded-file.ts";
import type { Subsegment, Segment } from "./segment.ts";
import { traceFileOf } from "./trace-store.ts";

/** A segment or subsegment with its descendants, ordered by start time. */
export type TraceNode = { segment: Subsegment | Segment; children: TraceNode[] };

export type Trace = {
  id: string;
  roots: TraceNode[];
  /** Traces that continue this one, such as that of a function that receives its messages. */
  linkedTraces: Trace[];
};

/**
 * Returns a trace by its id or by the request id of API Gateway or Lambda; undefined if there is none. Works while the cloud
 * runs, with a delay of 0.1 s, and after it has stopped.
 */
export function findTrace(folder: string, id: string): Trace | undefined {
  const lines = readBoundedFile(traceFileOf(folder));
  const found = segmentsWith(lines, id).find((segment) => idsOf(segment).includes(id));
  return found && assemble(lines, found.trace_id, new Set());
}

const idsOf = ({ trace_id, aws = {} }: Segment): unknown[] => [
  trace_id,
  aws["request_id"],
  (aws["api_gateway"] as Record<string, unknown> | undefined)?.["request_id"],
];

function assemble(lines: string[], id: string, seen: Set<string>): Trace {
  seen.add(id);
  const segments = segmentsWith(lines, id);
  const own = segments.filter(({ trace_id }) => trace_id === id);
  const next = segments.filter(({ trace_id, links = [] }) => {
    const isNew = links.some((link) => link.trace_id === id) && !seen.has(trace_id);
    if (isNew) seen.add(trace_id);
    return isNew;
  });
  return {
    id,
    roots: buildTree(own),
    linkedTraces: next.map(({ trace_id }) => assemble(lines, trace_id, seen)),
  };
}

function segmentsWith(lines: string[], text: string): Segment[] {
  return lines.filter((line) => line.includes(text)).flatMap(parseLine);
}

function parseLine(line: string): Segment[] {
  try {
    return [JSON.parse(line) as Segment];
  } catch {
    // a killed process may leave an incomplete line
    return [];
  }
}

function buildTree(segments: Segment[]): TraceNode[] {
  const byId = new Map<string, TraceNode>();
  const toNode = (segment: Subsegment): TraceNode => {
    const node = { segment, children: (segment.subsegments ?? []).map(toNode) };
    byId.set(segment.id, node);
    return node;
  };
  const roots: TraceNode[] = [];
  for (const { parent_id, node } of segments.map((segment) => ({
    ...segment,
    node: toNode(segment),
  }))) {
    const parent = byId.get(parent_id ?? "");
    // calls of a function belong to its invocation
    const home = parent?.children.find(({ segment: part }) => part.name === "Invocation") ?? parent;
    (home?.children ?? roots).push(node);
  }
  for (const { children } of [...byId.values(), { children: roots }])
    children.sort((a, b) => a.segment.start_time - b.segment.start_time);
  return roots;
}
