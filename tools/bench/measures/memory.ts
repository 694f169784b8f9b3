import { existsSync, readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import sharp from "sharp";

import { type Client, createClient, signIn } from "../../../packages/client/src/client.ts";
import { contentType } from "../../../packages/imaging/src/format.ts";
import { sniff } from "../../../packages/imaging/src/identify.ts";
import { withCloud } from "../cloud.ts";
import { photograph } from "../photograph.ts";
import { table, verdict } from "../report.ts";

const person = { name: "bench", password: "Bench-mark-1", email: "bench@example.com" };

type Original = { name: string; bytes: Buffer };
type Kept = { id: string; rev: string };

/** What the functions' own processes hold: for the first delivery of each original, for taking it in, and over a thousand deliveries. PICTURES names a folder of originals. */
export async function run() {
  if (process.platform !== "linux")
    return console.log("Only Linux tells what a process has held at most; nothing is measured.");
  await withCloud(async ({ local, data, createUser }) => {
    createUser(person);
    const { api, cognito } = local;
    const account = { username: person.name, password: person.password };
    const { idToken } = await signIn({ ...cognito!, ...account });
    const client = createClient(api, { token: idToken });
    const processes = (name: string) => processesOf(join(data, "functions", name));
    await originals({ api, client, processes });
    await thousand({ api, client, processes });
  });
}

type Stage = { api: string; client: Client; processes: (name: string) => number[] };

async function originals({ api, client, processes }: Stage) {
  const rows: (string | number)[][] = [];
  for (const { name, bytes } of await pictures()) {
    await fresh(processes("IngestHandler"));
    const kept = await uploaded(client, name, bytes).catch(() => undefined);
    const taking = peak(processes("IngestHandler"));
    if (!kept) {
      rows.push([name, taking, "refused", ""]);
      continue;
    }
    const most = async (query: string) => {
      await fresh(processes("Deliver"));
      const answer = await fetch(`${api}/i/${kept.id}/${kept.rev}?${query}`);
      await answer.arrayBuffer();
      return answer.ok ? peak(processes("Deliver")) : `${answer.status}`;
    };
    rows.push([name, taking, await most("w=800&f=webp"), await most("w=800&f=avif")]);
  }
  table(["MB held at most", "taken in", "800 px WebP", "800 px AVIF"], rows);
  console.log("");
  const numbers = (column: number) =>
    rows.map((row) => row[column]).filter((cell) => typeof cell === "number");
  const delivered = Math.max(...numbers(2), ...numbers(3));
  verdict(
    "G13",
    "at most 128 MB for the first delivery of any original",
    `${delivered.toFixed(0)} MB`,
    delivered <= 128,
  );
  const [largest] = rows.filter(([name]) => /24mp|drawn/i.test(String(name)));
  const taken = Number(largest?.[1]);
  verdict(
    "Ingest",
    "at most 512 MB, both its processes together, for a JPEG of 24 megapixels",
    `${taken.toFixed(0)} MB`,
    taken <= 512,
  );
}

/** Of one picture only so many sizes are made exactly, so it takes several. */
const SIZES = 60;

async function thousand({ api, client, processes }: Stage) {
  await fresh(processes("Deliver"));
  const held: number[] = [];
  for (let made = 0; made < 1000;) {
    const kept = await uploaded(client, `${made}.jpg`, await drawn(made));
    for (let each = 0; each < SIZES && made < 1000; each++, made++) {
      const format = ["webp", "avif", "jpeg", "png"][each % 4];
      const answer = await fetch(`${api}/i/${kept.id}/${kept.rev}?w=${100 + each * 9}&f=${format}`);
      if (!answer.ok) throw new Error(`delivery ${made}: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
      held.push(now(processes("Deliver")));
    }
  }
  // what is held goes up and down with what is being made
  const least = (from: number) => Math.min(...held.slice(from, from + 50));
  const most = (from: number) => Math.max(...held.slice(from, from + 100));
  console.log("");
  table(
    ["MB held over 1,000 deliveries", "least", "most"],
    [100, 300, 500, 700, 900].map((from) => [`from ${from} on`, least(from), most(from)]),
  );
  console.log("");
  const growth = most(900) - most(100);
  verdict(
    "G19",
    "no growth after the first 100 of 1,000 different deliveries",
    `${growth.toFixed(0)} MB (within ${NOISE_MB} MB is none)`,
    growth <= NOISE_MB,
  );
}

/** The same hundred deliveries hold so much more or less from one time to the next. */
const NOISE_MB = 10;

async function uploaded(client: Client, name: string, bytes: Buffer): Promise<Kept> {
  const format = sniff(bytes);
  const type = format && format !== "heic" ? contentType(format) : "image/jpeg";
  const file = new File([new Uint8Array(bytes)], name, { type });
  const { id, rev } = await client.upload(file, { title: name });
  return { id, rev: rev! };
}

async function pictures(): Promise<Original[]> {
  const folder = process.env.PICTURES;
  if (folder)
    return readdirSync(folder)
      .filter((name) => extname(name) !== ".md")
      .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
  const { bytes, label } = await photograph();
  const smaller = sharp(bytes).resize(4000);
  const variants = {
    "progressive JPEG, 11 MP": smaller.clone().jpeg({ progressive: true }),
    "PNG, 11 MP": smaller.clone().png({ compressionLevel: 1 }),
    "WebP, 11 MP": smaller.clone().webp({ effort: 0 }),
    "AVIF, 11 MP": smaller.clone().avif({ effort: 0 }),
    "TIFF, 11 MP": smaller.clone().tiff({ compression: "jpeg" }),
  };
  const made = Object.entries(variants).map(async ([name, picture]) => ({
    name,
    bytes: await picture.toBuffer(),
  }));
  return [{ name: label, bytes }, ...(await Promise.all(made))];
}

/** A different picture each time. */
const drawn = (seed: number) =>
  sharp({
    create: {
      width: 1200,
      height: 800,
      channels: 3,
      background: `hsl(${seed % 360}, 60%, 50%)`,
      noise: { type: "gaussian", mean: 100 + (seed % 50), sigma: 30 },
    },
  })
    .jpeg({ quality: 85 })
    .toBuffer();

/** A function's processes and theirs, by the folder that its bundle is in. */
function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => told(pid, "cmdline").includes(`${folder}/`));
}

/** The next event meets a process that has just started. */
async function fresh(pids: number[]) {
  for (const pid of pids) process.kill(pid, "SIGKILL");
  // an ended process is there until the cloud, which started it, has heard of it
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) await sleep(5);
}

const peak = (pids: number[]) => megabytes(pids, "VmHWM");
const now = (pids: number[]) => megabytes(pids, "VmRSS");

const megabytes = (pids: number[], field: "VmHWM" | "VmRSS") =>
  pids
    .map((pid) => Number(RegExp(`${field}:\\s+(\\d+)`).exec(told(pid, "status"))?.[1] ?? 0) / 1024)
    .reduce((sum, each) => sum + each, 0);

/** Nothing about one that has ended. */
function told(pid: number, file: string) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
