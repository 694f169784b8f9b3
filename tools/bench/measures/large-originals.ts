import { openAsBlob } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import sharp from "sharp";

import { createClient, signIn } from "../../../packages/client/src/client.ts";
import { withCloud } from "../cloud.ts";
import { isWorker, peak, processesOf, restartProcesses } from "../process-memory.ts";
import { printTable, reportGoal } from "../report.ts";

const user = { name: "bench", password: "Bench-mark-1", email: "bench@example.com" };

/** Measures the memory of the functions' processes, and the time from the last byte to `ready`, for originals of 100 megapixels. */
export async function run() {
  if (process.platform !== "linux")
    return console.log("Only Linux shows the peak memory of a process; nothing is measured.");
  const folder = await mkdtemp(join(tmpdir(), "balde-bench-"));
  try {
    const originals = await makeOriginals(folder);
    await withCloud(async ({ graph, local, data, createUser }) => {
      createUser(user);
      const account = { username: user.name, password: user.password };
      const { idToken } = await signIn({ ...local.cognito!, ...account });
      const client = createClient(local.api, { token: idToken });
      const processes = (name: string) => processesOf(join(data, "functions", name));
      const rows: (string | number)[][] = [];
      const measure = async (name: string, of: string, work: () => Promise<void>) => {
        await restartProcesses(processes(of));
        const start = performance.now();
        await work();
        const seconds = (performance.now() - start) / 1000;
        const pids = processes(of);
        const own = peak(pids.filter((pid) => !isWorker(pid)));
        const worker = peak(pids.filter(isWorker));
        rows.push([name, of, own, worker, seconds.toFixed(1)]);
      };
      for (const { name, type, file } of originals) {
        const bytes = await openAsBlob(file, { type });
        let url = "";
        await measure(name, "IngestHandler", async () => {
          const { id, rev } = await client.upload(new File([bytes], name, { type }), {});
          url = `${local.api}/i/${id}/${rev}`;
        });
        await measure(name, "Deliver", async () => {
          const response = await fetch(`${url}?w=3000&f=webp`);
          await response.arrayBuffer();
          if (!response.ok) throw new Error(`${name} was not delivered: ${response.status}`);
        });
      }
      printTable(["peak MiB", "function", "its process", "worker process", "seconds"], rows);
      console.log("");
      const limits = graph.resources.flatMap(({ type, inputs }) =>
        type === "aws:lambda/function:Function" ? [Number(inputs.memorySize)] : [],
      );
      const most = Math.max(...rows.map(([, , own, worker]) => Number(own) + Number(worker)));
      reportGoal(
        "Large originals",
        "both processes within the memory of the function for a TIFF of 300 MB and a JPEG of 100 megapixels",
        `${most.toFixed(0)} of ${Math.max(...limits)} MiB`,
        most <= Math.max(...limits),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Noise, enlarged: as many bytes as a detailed photograph has. */
async function makeOriginals(folder: string) {
  const noise = { type: "gaussian" as const, mean: 128, sigma: 40 };
  const grain = await sharp({
    create: { width: 2500, height: 2500, channels: 3, background: "#888", noise },
  })
    .png({ compressionLevel: 0 })
    .toBuffer();
  const large = () => sharp(grain).resize(10_000, 10_000, { kernel: "linear" });
  const tiff = join(folder, "300mb.tif");
  const jpeg = join(folder, "100mp.jpg");
  await large().tiff({ compression: "none" }).toFile(tiff);
  await large().jpeg({ quality: 92 }).toFile(jpeg);
  return [
    { name: "TIFF, 300 MB", type: "image/tiff", file: tiff },
    { name: "JPEG, 100 MP", type: "image/jpeg", file: jpeg },
  ];
}
