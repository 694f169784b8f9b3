import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBundler } from "../../local-cloud/src/lambda/bundle.ts";
import { loadGraph } from "../../local-cloud/src/graph/resource-graph.ts";
import { type Sample, measureFreshProcess } from "../fresh-process.ts";
import { gatewayEvent } from "../gateway-event.ts";
import { startBalde } from "../images/balde.ts";
import { originals } from "../images/corpus.ts";
import { median, printTable, reportGoal } from "../report.ts";

const root = join(import.meta.dirname, "../../..");
const runs = Number(process.env.RUNS ?? 10);

/** Measures the time from the start of a process to the first stored derivative of 24 megapixels, for `Deliver` and for AWS's samples. */
export async function run() {
  const folder = mkdtempSync(join(tmpdir(), "balde-bench-"));
  const [large] = await originals();
  const balde = await startBalde([large!]);
  try {
    const graph = loadGraph(join(root, "infra/stack.json"));
    const deliver = Object.values(graph.functions).find(({ name }) => name === "Deliver")!;
    const built = async (source: typeof deliver) => {
      const bundler = createBundler(source, root, folder);
      const { folder: at, handler } = await bundler.build();
      await bundler.dispose();
      return `${join(at, "bundle.mjs")}#${handler.split(".").at(-1)}`;
    };
    const ours = await built(deliver);
    const usual = await built({
      ...deliver,
      name: "usual-deliver",
      handler: "tools/bench/handlers/usual-deliver.handler",
      nodejs: { minify: true, install: { sharp: "*" } },
    });
    const env = balde.environment;
    const { id, rev } = balde.image(large!);
    const samples: Record<string, Sample[]> = {};
    for (let run = -1; run < runs; run++)
      for (const format of ["webp", "avif"] as const) {
        const address = new URL(balde.fresh(large!, format));
        const one = await measureFreshProcess(
          ours,
          gatewayEvent(address, { id, rev }),
          deliver.links,
          env,
        );
        const key = `originals/${id}/${rev}`;
        const event = { key, format, width: 800, as: `derived/${id}/usual-${run}.${format}` };
        const other = await measureFreshProcess(usual, event, deliver.links, env);
        // the first round warms the page cache
        if (run < 0) continue;
        (samples[`Deliver ${format}`] ??= []).push(one);
        (samples[`usual ${format}`] ??= []).push(other);
      }
    const of = (name: string, key: keyof Sample) => median(samples[name]!.map((it) => it[key]));
    printTable(
      [`median ms of ${runs}, ${large!.label}`, "import", "answer and store", "cpu", "wall"],
      Object.keys(samples).map((name) => [
        name,
        of(name, "import"),
        of(name, "first"),
        of(name, "cpu"),
        of(name, "wall"),
      ]),
    );
    console.log("");
    for (const [format, promise] of [
      ["webp", 3],
      ["avif", 8],
    ] as const) {
      const times = of(`usual ${format}`, "wall") / of(`Deliver ${format}`, "wall");
      reportGoal(
        `First image, ${format}`,
        `a fresh process stores its first image in 1/${promise} of the usual time`,
        `1/${times.toFixed(1)} (${of(`Deliver ${format}`, "wall").toFixed(0)} against ${of(`usual ${format}`, "wall").toFixed(0)} ms)`,
        times >= promise,
      );
    }
  } finally {
    await balde.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
