import { consoleLog } from "../src/log.ts";
import { startFixture } from "./fixture.ts";

/** `pnpm fixture`: prints one line of JSON on standard output, and what happens on standard error. */
const { fixture, stop } = await startFixture(consoleLog((line) => console.error(line)));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    setTimeout(() => process.exit(1), 5_000).unref();
    void stop().then(() => process.exit(0));
  });
console.log(JSON.stringify(fixture));
