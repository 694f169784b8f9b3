import { readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";

import sharp from "sharp";

import { type Client, createClient, signIn } from "../../../packages/client/src/client.ts";
import { contentType } from "../../../packages/imaging/src/format.ts";
import { sniff } from "../../../packages/imaging/src/sniff.ts";
import { withCloud } from "../cloud.ts";
import { now, peak, processesOf, restartProcesses } from "../process-memory.ts";
import { samplePhotograph } from "../sample-photograph.ts";
import { printTable, reportGoal } from "../report.ts";

const user = { name: "bench", password: "Bench-mark-1", email: "bench@example.com" };

type Original = { name: string; bytes: Buffer };
type StoredImage = { id: string; rev: string };

/** Measures the memory of the functions' processes: for the first delivery of each original, for its ingest, and over a thousand deliveries. PICTURES names a folder of originals. */
export async function run() {
  if (process.platform !== "linux")
    return console.log("Only Linux shows the peak memory of a process; nothing is measured.");
  await withCloud(async ({ local, data, createUser }) => {
    createUser(user);
    const { api, cognito } = local;
    const account = { username: user.name, password: user.password };
    const { idToken } = await signIn({ ...cognito!, ...account });
    const client = createClient(api, { token: idToken });
    const processes = (name: string) => processesOf(join(data, "functions", name));
    await measureOriginals({ api, client, processes });
    await measureThousandDeliveries({ api, client, processes });
  });
}

type Stage = { api: string; client: Client; processes: (name: string) => number[] };

async function measureOriginals({ api, client, processes }: Stage) {
  const rows: (string | number)[][] = [];
  for (const { name, bytes } of await loadOriginals()) {
    await restartProcesses(processes("IngestHandler"));
    const image = await uploadImage(client, name, bytes).catch(() => undefined);
    const ingestPeak = peak(processes("IngestHandler"));
    if (!image) {
      rows.push([name, ingestPeak, "rejected", ""]);
      continue;
    }
    const most = async (query: string) => {
      await restartProcesses(processes("Deliver"));
      const answer = await fetch(`${api}/i/${image.id}/${image.rev}?${query}`);
      await answer.arrayBuffer();
      return answer.ok ? peak(processes("Deliver")) : `${answer.status}`;
    };
    rows.push([name, ingestPeak, await most("w=800&f=webp"), await most("w=800&f=avif")]);
  }
  printTable(["peak MiB", "ingest", "800 px WebP", "800 px AVIF"], rows);
  console.log("");
  const numbers = (column: number) =>
    rows.map((row) => row[column]).filter((cell) => typeof cell === "number");
  const delivered = Math.max(...numbers(2), ...numbers(3));
  reportGoal(
    "Delivery memory",
    "at most 128 MiB for the first delivery of any original",
    `${delivered.toFixed(0)} MiB`,
    delivered <= 128,
  );
  const [largest] = rows.filter(([name]) => /24mp|drawn/i.test(String(name)));
  const taken = Number(largest?.[1]);
  reportGoal(
    "Ingest memory",
    "at most 512 MiB in both processes together for a JPEG of 24 megapixels",
    `${taken.toFixed(0)} MiB`,
    taken <= 512,
  );
}

/** Below the budget of plans of one image, so several images are needed. */
const SIZES = 60;

async function measureThousandDeliveries({ api, client, processes }: Stage) {
  await restartProcesses(processes("Deliver"));
  const held: number[] = [];
  for (let made = 0; made < 1000;) {
    const image = await uploadImage(client, `${made}.jpg`, await drawImage(made));
    for (let each = 0; each < SIZES && made < 1000; each++, made++) {
      const format = ["webp", "avif", "jpeg", "png"][each % 4];
      const answer = await fetch(
        `${api}/i/${image.id}/${image.rev}?w=${100 + each * 9}&f=${format}`,
      );
      if (!answer.ok) throw new Error(`delivery ${made}: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
      held.push(now(processes("Deliver")));
    }
  }
  // memory varies with the render in progress
  const least = (from: number) => Math.min(...held.slice(from, from + 50));
  const most = (from: number) => Math.max(...held.slice(from, from + 100));
  console.log("");
  printTable(
    ["MiB over 1,000 deliveries", "min", "max"],
    [100, 300, 500, 700, 900].map((from) => [`from ${from} on`, least(from), most(from)]),
  );
  console.log("");
  const growth = most(900) - most(100);
  reportGoal(
    "Memory growth",
    "no growth after the first 100 of 1,000 different deliveries",
    `${growth.toFixed(0)} MiB (up to ${NOISE_MIB} MiB counts as none)`,
    growth <= NOISE_MIB,
  );
}

/** The difference between two runs of the same hundred deliveries. */
const NOISE_MIB = 10;

async function uploadImage(client: Client, name: string, bytes: Buffer): Promise<StoredImage> {
  const format = sniff(bytes);
  const type = format ? contentType(format) : "image/jpeg";
  const file = new File([new Uint8Array(bytes)], name, { type });
  const { id, rev } = await client.upload(file, { title: name });
  return { id, rev: rev! };
}

async function loadOriginals(): Promise<Original[]> {
  const folder = process.env.PICTURES;
  if (folder)
    return readdirSync(folder)
      .filter((name) => extname(name) !== ".md")
      .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
  const { bytes, label } = await samplePhotograph();
  const smaller = sharp(bytes).resize(4000);
  const variants = {
    "progressive JPEG, 11 MP": smaller.clone().jpeg({ progressive: true }),
    "PNG, 11 MP": smaller.clone().png({ compressionLevel: 1 }),
    "WebP, 11 MP": smaller.clone().webp({ effort: 0 }),
    "AVIF, 11 MP": smaller.clone().avif({ effort: 0 }),
    "TIFF, 11 MP": smaller.clone().tiff({ compression: "jpeg" }),
  };
  const made = Object.entries(variants).map(async ([name, image]) => ({
    name,
    bytes: await image.toBuffer(),
  }));
  return [{ name: label, bytes }, ...(await Promise.all(made))];
}

/** A different image per seed. */
const drawImage = (seed: number) =>
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
