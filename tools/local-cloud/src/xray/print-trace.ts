import type { TraceNode, Trace } from "./find-trace.ts";
import type { Subsegment, Segment } from "./segment.ts";

/** Logical names of functions by ARN. */
type NamesByArn = Record<string, string>;

const BAR_WIDTH = 28;

/** Returns a trace as an indented tree: offset and duration in milliseconds, a bar, the call and its result. */
export function printTrace(trace: Trace, names: NamesByArn): string {
  return linesOf(trace, names, startOf(trace.roots)).join("\n");
}

function linesOf(
  { id, roots, linkedTraces: next }: Trace,
  names: NamesByArn,
  zero: number,
): string[] {
  const [start, end] = [startOf(roots), endOf(roots)];
  const line = ({ segment: part, children }: TraceNode, depth: number): string[] => [
    [
      milliseconds(part.start_time - zero),
      milliseconds(part.end_time - part.start_time),
      ` ${bar(part, start, end)} `,
      `${"  ".repeat(depth)}${label(part, names)}${outcome(part)}`,
    ].join(" "),
    ...children.flatMap((child) => line(child, depth + 1)),
  ];
  return [
    `${new Date(start * 1000).toISOString()}  trace ${id}`,
    `${"at".padStart(9)} ${"ms".padStart(9)}`,
    ...roots.flatMap((root) => line(root, 0)),
    ...next.flatMap((trace) => ["", "linked trace:", ...linesOf(trace, names, zero)]),
  ];
}

const startOf = (nodes: TraceNode[]) =>
  Math.min(...nodes.map(({ segment: part }) => part.start_time));
const endOf = (nodes: TraceNode[]): number =>
  Math.max(...nodes.flatMap(({ segment: part, children }) => [part.end_time, endOf(children)]), 0);

const milliseconds = (seconds: number) => (seconds * 1000).toFixed(1).padStart(9);

function bar({ start_time, end_time }: Subsegment, start: number, end: number) {
  const at = (time: number) => ((time - start) / Math.max(end - start, 1e-6)) * BAR_WIDTH;
  const from = Math.min(BAR_WIDTH - 1, Math.max(0, Math.floor(at(start_time))));
  const length = Math.max(1, Math.round(at(end_time)) - from);
  return `${" ".repeat(from)}${"█".repeat(length)}`.slice(0, BAR_WIDTH).padEnd(BAR_WIDTH);
}

function label(part: Subsegment | Segment, names: NamesByArn): string {
  const { name, aws = {}, http } = part;
  const origin = "origin" in part ? part.origin : undefined;
  const arn = "resource_arn" in part ? part.resource_arn : undefined;
  if (origin === "AWS::ApiGateway::Stage") {
    const { method, url = "" } = http?.request ?? {};
    return `API Gateway ${method} ${URL.canParse(url) ? new URL(url).pathname : url}`;
  }
  if (origin === "AWS::Lambda")
    return `Lambda ${names[arn ?? ""] ?? name} ${text(aws["request_id"])}`;
  if (origin === "AWS::Lambda::Function") return `function ${names[arn ?? ""] ?? name}`;
  if (name === "Initialization") return "Initialization (cold start)";
  const resources = [aws["resource_names"] ?? []].flat().map(text);
  const what = aws["key"] === undefined ? resources : [...resources, text(aws["key"])];
  const known = Object.entries(names).find(([of]) => of.endsWith(`:${resources[0]}`));
  return [name, text(aws["operation"]), known ? known[1] : what.join("/")]
    .filter((word) => word !== "")
    .join(" ");
}

const text = (value: unknown) => (typeof value === "string" ? value : "");

function outcome({ http, fault, throttle, error, cause }: Subsegment): string {
  const status = http?.response?.status;
  const how = fault ? "fault" : throttle ? "throttled" : error ? "error" : "";
  const why = cause?.exceptions.map(({ type, message }) => `${type}: ${message}`) ?? [];
  return [
    status === undefined ? "" : ` ${status}`,
    how && ` ${how}`,
    ...why.map((w) => ` (${w})`),
  ].join("");
}
