import { type Client, createClient, signIn } from "../../../packages/client/src/client.ts";
import { send } from "../../../packages/client/src/upload.ts";
import { prepare } from "../../../packages/imaging/src/prepare.ts";
import { withCloud } from "../cloud.ts";
import { photograph } from "../photograph.ts";
import { median, quantile, table, verdict } from "../report.ts";

const runs = Number(process.env.RUNS ?? 10);
const person = { name: "bench", password: "Bench-mark-1", email: "bench@example.com" };

/** From S3's 201 to `ready`, through event, queue and function; beside it the pixel work that ingest does, by itself. */
export async function run() {
  await withCloud(async ({ local, createUser }) => {
    createUser(person);
    const { api, cognito } = local;
    const { idToken } = await signIn({
      ...cognito!,
      username: person.name,
      password: person.password,
    });
    const client = createClient(api, { token: idToken });
    const picture = await photograph();
    const bytes = new Uint8Array(picture.bytes);

    // finds no function running and nothing in memory
    const first = await readyAfter(client, bytes);
    await preparedAfter(picture.bytes);
    const waits: number[] = [];
    const alone: number[] = [];
    for (let run = 0; run < runs; run++) {
      waits.push(await readyAfter(client, bytes));
      alone.push(await preparedAfter(picture.bytes));
    }

    table(
      [`ms, ${runs} times: ${picture.label}`, "first", "p50", "p90"],
      [
        ["S3's 201 to ready", first, median(waits), quantile(waits, 0.9)],
        ["ingest's pixel work alone", "", median(alone), quantile(alone, 0.9)],
      ],
    );
    console.log("");
    const added = median(waits) - median(alone);
    verdict(
      "G16",
      "ready at most 150 ms after the work of ingest alone, p50",
      `${added.toFixed(0)} ms`,
      added <= 150,
    );
  });
}

async function readyAfter({ v1 }: Client, bytes: Uint8Array<ArrayBuffer>) {
  const json = { type: "image/jpeg", bytes: bytes.length };
  const { image, upload } = await (await v1.uploads.$post({ json })).json();
  await send(upload, new Blob([bytes], { type: json.type }));
  const acknowledged = performance.now();
  for (;;) {
    const { state, reason } = await (
      await v1.uploads[":id"].$get({ param: { id: image.id } })
    ).json();
    if (state === "ready") return performance.now() - acknowledged;
    if (state === "rejected") throw new Error(`The picture was rejected: ${reason?.detail}`);
    // asking all the time would take the processor from ingest
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function preparedAfter(bytes: Buffer) {
  const start = performance.now();
  await prepare(bytes, { publish: false });
  return performance.now() - start;
}
