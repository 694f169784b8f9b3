import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBundler } from "../../local-cloud/src/lambda/bundle.ts";
import { type FunctionSource, loadGraph } from "../../local-cloud/src/graph/resource-graph.ts";
import { type Sample, measureFreshProcess } from "../fresh-process.ts";
import { gatewayEvent } from "../gateway-event.ts";
import { median, printTable, reportGoal } from "../report.ts";
import { startEmptyDynamoDb } from "../dynamodb-stub.ts";

const root = join(import.meta.dirname, "../../..");
const runs = Number(process.env.RUNS ?? 20);

/** Measures each function of the graph in fresh processes, next to what others would deploy in its place. */
export async function run() {
  const folder = mkdtempSync(join(tmpdir(), "balde-bench-"));
  const stub = await startEmptyDynamoDb();
  try {
    const subjects = await Promise.all(candidates().map((it) => bundleCandidate(it, folder)));
    const samples = await measureInTurn(subjects, stub.url);
    print(subjects, samples);
  } finally {
    await stub.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Candidate = { label: string; source: FunctionSource; event: object };
type Subject = Candidate & { file: string; entry: number; all: number };

function candidates(): Candidate[] {
  const functions = Object.values(loadGraph(join(root, "infra/stack.json")).functions);
  const deployed = functions.flatMap((source): Candidate[] => {
    const event = firstEvents[source.name] ?? { Records: [] };
    const usual = {
      ...source,
      name: `${source.name}-usual`,
      nodejs: { install: source.nodejs?.install },
    };
    return [
      { label: source.name, source, event },
      // the same sources with SST's defaults: one file, not minified, with undici's Request
      { label: `  ${source.name}, bundled as usual`, source: usual as FunctionSource, event },
    ];
  });
  const api = functions.find(({ name }) => name === "ApiHandler")!;
  const pixels = functions.find(({ nodejs }) => nodejs?.install?.sharp);
  const beside = (name: string, nodejs: FunctionSource["nodejs"]): FunctionSource => ({
    name,
    handler: `tools/bench/handlers/${name}.handler`,
    links: api.links,
    architecture: "x86_64",
    nodejs,
  });
  const minified = { minify: true };
  return [
    { label: "an empty handler", source: beside("empty", minified), event: {} },
    { label: "core's schemas alone", source: beside("schemas", minified), event: {} },
    ...deployed,
    { label: "typical stack for ApiHandler", source: beside("typical-api", minified), event: me },
    {
      label: "ApiHandler, undici's classes",
      source: { ...api, name: "api-undici", nodejs: { ...api.nodejs, esbuild: {} } },
      event: me,
    },
    { label: "ApiHandler, first read", source: { ...api, name: "api-read" }, event: image },
    { label: "typical stack, first read", source: beside("typical-api", minified), event: image },
    {
      label: "import sharp",
      source: beside("import-sharp", { ...minified, install: { sharp: "*" } }),
      event: {},
    },
    {
      label: "sharp as we load it",
      source: beside("our-sharp", pixels?.nodejs ?? minified),
      event: {},
    },
  ].map((it, index) => ({ ...it, source: { ...it.source, name: `${index}-${it.source.name}` } }));
}

async function bundleCandidate(candidate: Candidate, folder: string): Promise<Subject> {
  const bundler = createBundler(candidate.source, root, folder);
  const { folder: built, handler } = await bundler.build();
  await bundler.dispose();
  const sizes = readdirSync(built).filter((name) => name.endsWith(".mjs"));
  const size = (name: string) => statSync(join(built, name)).size / 1000;
  return {
    ...candidate,
    file: join(built, "bundle.mjs") + `#${handler.split(".").at(-1)}`,
    entry: size("bundle.mjs"),
    all: sizes.reduce((sum, name) => sum + size(name), 0),
  };
}

/** Starts one process of each in turn, so that a busy moment of the machine affects all. */
async function measureInTurn(subjects: Subject[], endpoint: string) {
  const env = { AWS_ENDPOINT_URL: endpoint };
  const samples = subjects.map((): Sample[] => []);
  const bare: number[] = [];
  for (let run = -1; run < runs; run++) {
    const nothing = await measureFreshProcess(undefined, {}, {}, env);
    if (run >= 0) bare.push(nothing.wall);
    for (const [index, { file, event, source }] of subjects.entries()) {
      const sample = await measureFreshProcess(file, event, source.links, env);
      // the first round only warms the page cache
      if (run >= 0) samples[index]!.push(sample);
    }
  }
  return { bare: median(bare), samples };
}

function print(subjects: Subject[], { bare, samples }: Awaited<ReturnType<typeof measureInTurn>>) {
  const of = (label: string, key: keyof Sample = "total") => {
    const index = subjects.findIndex((subject) => subject.label === label);
    return median(samples[index]!.map((sample) => sample[key]));
  };
  printTable(
    ["median ms of " + runs, "entry KB", "all KB", "import", "first answer", "both", "cpu", "wall"],
    [
      ["bare node", "", "", "", "", "", "", bare],
      ...subjects.map(({ label, entry, all }) => [
        label,
        entry,
        all,
        of(label, "import"),
        of(label, "first"),
        of(label),
        of(label, "cpu"),
        of(label, "wall"),
      ]),
    ],
  );
  console.log("");
  const ours = of("ApiHandler");
  const typical = of("typical stack for ApiHandler");
  const entry = subjects.find(({ label }) => label === "ApiHandler")!.entry;
  reportGoal(
    "Cold start, time",
    "at most 30 ms over bare node",
    `${ours.toFixed(1)} ms`,
    ours <= 30,
  );
  reportGoal(
    "Cold start, ratio",
    "at most 1/3 of the typical stack",
    `${(ours / typical).toFixed(2)} of ${typical.toFixed(1)} ms`,
    ours <= typical / 3,
  );
  reportGoal("Cold start, size", "entry of at most 120 KB", `${entry.toFixed(1)} KB`, entry <= 120);
  const sharp = of("sharp as we load it");
  const plain = of("import sharp");
  reportGoal(
    "Loading sharp",
    "at most 0.75 of import sharp",
    `${(sharp / plain).toFixed(2)} of ${plain.toFixed(1)} ms`,
    sharp <= 0.75 * plain,
  );
  printBreakdown(of);
}

/** Prints differences between rows of the table, which show what to improve next. */
function printBreakdown(of: (label: string, key?: keyof Sample) => number) {
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const ours = of("ApiHandler");
  console.log(`
Breakdown: of ApiHandler's ${ms(ours)}, zod/mini and core's schemas are ${ms(of("core's schemas alone"))}. Undici would add
${ms(of("ApiHandler, undici's classes") - ours)}; the SDK adds ${ms(of("ApiHandler, first read") - ours)}, once, to the first answer that needs the table.
The typical stack always loads all of it and OpenAPI's classes: ${ms(of("typical stack for ApiHandler"))}.`);
}

const eventFor = (path: string) => gatewayEvent(new URL(path, "http://localhost"));
const me = eventFor("/v1/me");
const image = eventFor("/v1/images/img_01ARZ3NDEKTSV4RRFFQ69G5FAV");

/** Events that need no call of AWS; functions that receive batches get an empty one. */
const firstEvents: Record<string, object> = {
  ApiHandler: me,
  Admin: eventFor("/admin/v1/nothing"),
  Deliver: gatewayEvent(new URL("/i/nothing", "http://localhost"), { id: "nothing" }),
};
