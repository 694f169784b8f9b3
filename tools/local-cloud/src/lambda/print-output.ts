import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";

import type { Log } from "../log.ts";

/** Logs every line that a process writes, with the name of its function and the id of its request. */
export function printOutput(
  child: ChildProcess,
  name: string,
  log: Log,
  requestId: () => string | undefined,
) {
  const print = (line: string, say: (message: string) => void) => {
    const [, id, level = "", text] = /^\S+\t(\S+)\t([A-Z]+)\t(.*)$/s.exec(line) ?? [];
    if (id === undefined) return say(`${label(name, requestId())}: ${line}`);
    // the bootstrap sends Lambda's text format, where a line feed is a carriage return
    const message = `${label(name, id)}: ${text!.replaceAll("\r", "\n")}`;
    if (level === "ERROR") log.error(message);
    else if (level === "WARN") log.warn(message);
    else log.info(message);
  };
  eachLine(child.stdout, (line) => print(line, (message) => log.info(message)));
  eachLine(child.stderr, (line) => print(line, (message) => log.warn(message)));
}

/** node:readline would also end a line at a carriage return. */
function eachLine(stream: Readable | null, take: (line: string) => void) {
  let rest = "";
  stream?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) take(line);
  });
  stream?.on("end", () => rest && take(rest));
}

const label = (name: string, id: string | undefined) =>
  id && id !== "-" ? `${name} ${id.slice(0, 8)}` : name;
