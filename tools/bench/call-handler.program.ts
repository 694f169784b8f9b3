// Calls a handler (`file#export`) in this process repeatedly with one event and prints the median in milliseconds.
import { json } from "node:stream/consumers";

const [bundle = ""] = process.argv.slice(2);
const [file = "", name = ""] = bundle.split("#");
const { event, seconds } = (await json(process.stdin)) as { event: object; seconds: number };
const { [name]: handler } = (await import(file)) as Record<string, (event: object) => unknown>;

const times: number[] = [];
const end = performance.now() + seconds * 1000;
while (performance.now() < end) {
  const start = performance.now();
  await handler!(event);
  times.push(performance.now() - start);
}
// the first half warms up the compiler
const warm = times.slice(times.length / 2).toSorted((a, b) => a - b);
process.stdout.write(JSON.stringify({ p50: warm[Math.floor(warm.length / 2)] }));
