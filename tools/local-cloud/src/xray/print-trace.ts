import type { Node, Trace } from "./find-trace.ts";
import type { Part, Segment } from "./segment.ts";

/** `names` is what a person calls a function, by its ARN. */
type Names = Record<string, string>;

const WIDTH = 28;

/** A trace as an indented tree: offset and duration in milliseconds, a bar, what it was and how it ended. */
export function printTrace(trace: Trace, names: Names): string {
  return print(trace, names, startOf(trace.roots)).join("\n");
}

function print({ id, roots, next }: Trace, names: Names, zero: number): string[] {
  const [start, end] = [startOf(roots), endOf(roots)];
  const line = ({ part, children }: Node, depth: number): string[] => [
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
    ...next.flatMap((trace) => ["", "then, linked:", ...print(trace, names, zero)]),
  ];
}

const startOf = (nodes: Node[]) => Math.min(...nodes.map(({ part }) => part.start_time));
const endOf = (nodes: Node[]): number =>
  Math.max(...nodes.flatMap(({ part, children }) => [part.end_time, endOf(children)]), 0);

const milliseconds = (seconds: number) => (seconds * 1000).toFixed(1).padStart(9);

function bar({ start_time, end_time }: Part, start: number, end: number) {
  const at = (time: number) => ((time - start) / Math.max(end - start, 1e-6)) * WIDTH;
  const from = Math.min(WIDTH - 1, Math.max(0, Math.floor(at(start_time))));
  const length = Math.max(1, Math.round(at(end_time)) - from);
  return `${" ".repeat(from)}${"█".repeat(length)}`.slice(0, WIDTH).padEnd(WIDTH);
}

function label(part: Part | Segment, names: Names): string {
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

function outcome({ http, fault, throttle, error, cause }: Part): string {
  const status = http?.response?.status;
  const how = fault ? "fault" : throttle ? "throttled" : error ? "error" : "";
  const why = cause?.exceptions.map(({ type, message }) => `${type}: ${message}`) ?? [];
  return [
    status === undefined ? "" : ` ${status}`,
    how && ` ${how}`,
    ...why.map((w) => ` (${w})`),
  ].join("");
}
