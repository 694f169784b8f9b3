import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ResourceGraph } from "@balde/local-cloud";
import sharp from "sharp";

import { type Client, createClient } from "../../../packages/client/src/client.ts";
import {
  type LatencyProxy,
  createLatencyProxy,
  sequentialCalls,
} from "../../../packages/functions/test/latency-proxy.ts";
import { seededRandom } from "../../faults/src/random.ts";
import { type BenchCloud, withCloud } from "../cloud.ts";
import { gatewayEvent } from "../gateway-event.ts";
import { startDeliver } from "../images/handler.ts";
import { startIpxOverHttp } from "../images/peers.ts";
import { startLoopbackServer } from "../loopback-server.ts";
import { median, printTable, reportGoal } from "../report.ts";
import { samplePhotograph } from "../sample-photograph.ts";

const rounds = Number(process.env.ROUNDS ?? 10);

/** Medians within a region, each up to a third longer by chance. */
const S3_MS = 15;
const DYNAMODB_MS = 5;
const random = seededRandom(Number(process.env.SEED ?? 1));
const latencyOf = (ms: number) => () =>
  isCounting ? COUNTING_MS : ms * (1 + (random() - 0.5) / 1.5);

/** While requests are counted, each takes much longer than the process needs between two that do not wait for each other. */
const COUNTING_MS = 200;
let isCounting = false;

/** The first round loads what is loaded once, the second counts, and the others are timed. */
const WARM_ROUND = -2;
const COUNTING_ROUND = -1;

/** `Deliver` knows an image for two seconds. */
const FORGET_MS = 2_100;

type Sample = { round: number; waits: number; firstByteMs: number };
type Picture = { label: string; urlOf(width: number): Promise<URL>; original?: Buffer };

/** Counts the requests to AWS that wait for each other before the first byte of an image, and measures the time to that byte with the latencies of AWS. */
export async function run() {
  const folder = mkdtempSync(join(tmpdir(), "balde-bench-"));
  const proxy = createLatencyProxy();
  try {
    await withCloud((cloud) => measure(cloud, proxy, folder), setSigningKeys);
  } finally {
    await proxy.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of signed URLs; the graph's own are made by the local cloud, which keeps them. */
const signingKeys = { newest: "k1", secrets: { k1: "a secret of this benchmark" } };

function setSigningKeys({ functions }: ResourceGraph) {
  for (const { links } of Object.values(functions))
    if (links["DeliveryKeys"]) links["DeliveryKeys"] = signingKeys;
}

async function measure(cloud: BenchCloud, proxy: LatencyProxy, folder: string) {
  const { local } = cloud;
  const deliver = await startDeliver(
    {
      SST_RESOURCE_DeliveryKeys: JSON.stringify(signingKeys),
      AWS_REGION: local.region,
      AWS_ACCESS_KEY_ID: local.iam.accessKeyId,
      AWS_SECRET_ACCESS_KEY: local.iam.secretAccessKey,
      AWS_ENDPOINT_URL_S3: await proxy.before(local.s3!.endpoint, latencyOf(S3_MS)),
      AWS_ENDPOINT_URL_DYNAMODB: await proxy.before(
        local.dynamodb!.endpoint,
        latencyOf(DYNAMODB_MS),
      ),
    },
    folder,
  );
  try {
    const pictures = await uploadPictures(cloud);
    const results = pictures.map(() => Array.from(columns, (): Sample[] => []));
    for (let round = WARM_ROUND; round < rounds; round++) {
      isCounting = round === COUNTING_ROUND;
      for (const [column, { width, forgets }] of columns.entries()) {
        if (forgets) await sleep(FORGET_MS);
        for (const [index, picture] of pictures.entries()) {
          const sample = await deliverOnce(deliver, proxy, await picture.urlOf(width(round)));
          results[index]![column]!.push({ ...sample, round });
        }
      }
    }
    const ipx = await measureIpx(proxy, pictures);
    print(pictures, results, ipx);
  } finally {
    await deliver.stop();
  }
}

/** Widths that no other round asks for: the budget is 64. */
const first = (round: number) => 305 + 2 * round;
const second = (round: number) => 306 + 2 * round;
const columns = [
  { label: "new", width: first, forgets: true },
  { label: "stored", width: first, forgets: true },
  { label: "new, row known", width: second, forgets: false },
  { label: "stored, row known", width: second, forgets: false },
];

async function deliverOnce(
  { invoke }: Awaited<ReturnType<typeof startDeliver>>,
  proxy: LatencyProxy,
  url: URL,
): Promise<Omit<Sample, "round">> {
  const [id = "", rev = ""] = url.pathname.split("/").slice(-2);
  const event = gatewayEvent(url, { id, rev });
  const multiValueHeaders = { ...event.multiValueHeaders, Host: [url.host] };
  proxy.takeCalls();
  const { firstByteMs, stored } = await invoke({ ...event, multiValueHeaders });
  const waits = sequentialCalls(proxy.takeCalls()).length;
  await stored;
  return { waits, firstByteMs };
}

async function uploadPictures({ local, createUser, issueTokens }: BenchCloud): Promise<Picture[]> {
  createUser({ name: "bench", password: "Bench-mark-1", email: "bench@example.com" });
  const { IdToken } = await issueTokens("bench", local.cognito!);
  const client = createClient(local.api, { token: IdToken });
  const photograph = await samplePhotograph();
  const small = await sharp(photograph.bytes).resize(400).jpeg().toBuffer();
  const frames = ["red", "blue"].map((background) => ({
    create: { width: 400, height: 300, channels: 3 as const, background },
  }));
  const animation = await sharp(
    await Promise.all(frames.map((frame) => sharp(frame).png().toBuffer())),
    { join: { animated: true } },
  )
    .gif()
    .toBuffer();
  return [
    await upload(client, photograph.label, photograph.bytes, "image/jpeg"),
    await upload(client, "the same, private and signed", photograph.bytes, "image/jpeg", true),
    await upload(client, "small, without a rung", small, "image/jpeg"),
    await upload(client, "animation", animation, "image/gif"),
  ];

  async function upload(
    sender: Client,
    label: string,
    bytes: Buffer,
    type: string,
    isPrivate = false,
  ): Promise<Picture> {
    const file = new Blob([new Uint8Array(bytes)], { type });
    const { id, rev } = await sender.upload(file, isPrivate ? { visibility: "private" } : {});
    const urlOf = async (width: number) => {
      const query = { w: width, f: "webp" as const };
      if (!isPrivate) return new URL(`${local.api}/i/${id}/${rev}?w=${width}&f=webp`);
      const { urls } = await sender.urls({ id }, [query]);
      return new URL(urls[0]!);
    };
    return { label, urlOf, ...(!isPrivate && { original: bytes }) };
  }
}

/** ipx reads the original of each picture by HTTP, as far away as S3. */
async function measureIpx(proxy: LatencyProxy, pictures: Picture[]) {
  const bucket = await startLoopbackServer(({ method, url }, response) => {
    const { original } = pictures[Number(url!.slice(1))]!;
    response.setHeader("content-length", original!.length);
    response.end(method === "HEAD" ? undefined : original);
  });
  const ipx = await startIpxOverHttp();
  if (typeof ipx === "string") {
    console.log(`Without ipx: ${ipx}`);
    await bucket.close();
    return undefined;
  }
  try {
    const origin = await proxy.before(bucket.url, latencyOf(S3_MS));
    const samples = pictures.map((): Sample[] => []);
    for (let round = WARM_ROUND; round < rounds; round++) {
      isCounting = round === COUNTING_ROUND;
      for (const [index, { original }] of pictures.entries()) {
        if (!original) continue;
        proxy.takeCalls();
        const url = ipx.pictureUrl("webp", first(round), `${origin}/${index}`);
        const start = performance.now();
        const response = await fetch(url);
        const firstByteMs = performance.now() - start;
        await response.arrayBuffer();
        if (response.status !== 200) throw new Error(`ipx answered ${response.status}`);
        const waits = sequentialCalls(proxy.takeCalls()).length;
        samples[index]!.push({ round, waits, firstByteMs });
      }
    }
    return samples;
  } finally {
    await ipx.stop();
    await bucket.close();
  }
}

function print(pictures: Picture[], results: Sample[][][], ipx: Sample[][] | undefined) {
  const waitsOf = (samples: Sample[]) =>
    samples.find(({ round }) => round === COUNTING_ROUND)?.waits ?? 0;
  const cell = (samples: Sample[] = []) => {
    if (samples.length === 0) return "";
    const timed = samples.filter(({ round }) => round >= 0).map((it) => it.firstByteMs);
    return `${waitsOf(samples)} / ${median(timed).toFixed(0)}`;
  };
  printTable(
    [
      `waits for AWS / median ms to the first byte of ${rounds}; S3 ${S3_MS} ms, DynamoDB ${DYNAMODB_MS} ms`,
      ...columns.map(({ label }) => label),
      "ipx",
    ],
    pictures.map(({ label }, index) => [label, ...results[index]!.map(cell), cell(ipx?.[index])]),
  );
  console.log("");
  const worst = (isWanted: (label: string) => boolean) =>
    Math.max(
      ...results.flatMap((all) =>
        all.filter((_, column) => isWanted(columns[column]!.label)).map(waitsOf),
      ),
    );
  const waits = {
    stored: worst((it) => it.startsWith("stored")),
    new: worst((it) => it.startsWith("new")),
  };
  reportGoal(
    "Waits for AWS",
    "at most 2 sequential requests before a new image, 1 before a stored one",
    `${waits.new} and ${waits.stored}`,
    waits.new <= 2 && waits.stored <= 1,
  );
}
