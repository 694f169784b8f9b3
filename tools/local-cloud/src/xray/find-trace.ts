import { readBoundedFile } from "../bounded-file.ts";
import type { Part, Segment } from "./segment.ts";
import { fileOf } from "./trace-store.ts";

/** A segment or subsegment with everything below it, in order of time. */
export type Node = { part: Part | Segment; children: Node[] };

export type Trace = {
  id: string;
  roots: Node[];
  /** Traces that go on from this one, such as that of a function which gets its messages. */
  next: Trace[];
};

/**
 * The trace of a request, by the id of the request at the gateway or in Lambda, or by its own. Works while the cloud runs,
 * a tenth of a second behind it, and after.
 */
export function findTrace(folder: string, id: string): Trace | undefined {
  const lines = readBoundedFile(fileOf(folder));
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
    roots: tree(own),
    next: next.map(({ trace_id }) => assemble(lines, trace_id, seen)),
  };
}

function segmentsWith(lines: string[], text: string): Segment[] {
  return lines.filter((line) => line.includes(text)).flatMap(parsed);
}

function parsed(line: string): Segment[] {
  try {
    return [JSON.parse(line) as Segment];
  } catch {
    // what a killed process left of a line
    return [];
  }
}

function tree(segments: Segment[]): Node[] {
  const byId = new Map<string, Node>();
  const grow = (part: Part): Node => {
    const node = { part, children: (part.subsegments ?? []).map(grow) };
    byId.set(part.id, node);
    return node;
  };
  const roots: Node[] = [];
  for (const { parent_id, node } of segments.map((segment) => ({
    ...segment,
    node: grow(segment),
  }))) {
    const parent = byId.get(parent_id ?? "");
    // what a function calls, its handler does
    const home = parent?.children.find(({ part }) => part.name === "Invocation") ?? parent;
    (home?.children ?? roots).push(node);
  }
  for (const { children } of [...byId.values(), { children: roots }])
    children.sort((a, b) => a.part.start_time - b.part.start_time);
  return roots;
}
