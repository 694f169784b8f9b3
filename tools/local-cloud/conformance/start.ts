import { consoleLog } from "../src/log.ts";
import { startFixture } from "./fixture.ts";
import { onParentExit } from "../src/parent-exit.ts";

/** `pnpm fixture`: starts the fixture, prints one line of JSON on standard output and logs to standard error. */
let stopping = false;
const started = startFixture(consoleLog((line) => console.error(line)));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
onParentExit(end);
const { fixture } = await started;
console.log(JSON.stringify(fixture));

function end() {
  if (stopping) process.exit(1);
  stopping = true;
  setTimeout(() => process.exit(1), 5_000).unref();
  void started.then(({ stop }) => stop()).then(() => process.exit(0));
}
