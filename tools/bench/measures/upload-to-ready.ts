import { type Client, createClient, signIn } from "../../../packages/client/src/client.ts";
import { postForm } from "../../../packages/client/src/send-to-bucket.ts";
import { prepare } from "../../../packages/imaging/src/prepare.ts";
import { withCloud } from "../cloud.ts";
import { samplePhotograph } from "../sample-photograph.ts";
import { median, quantile, printTable, reportGoal } from "../report.ts";

const runs = Number(process.env.RUNS ?? 10);
const user = { name: "bench", password: "Bench-mark-1", email: "bench@example.com" };

/** Measures the time from S3's 201 to `ready`, through event, queue and function, next to the pixel work of ingest alone. */
export async function run() {
  await withCloud(async ({ local, createUser }) => {
    createUser(user);
    const { api, cognito } = local;
    const { idToken } = await signIn({
      ...cognito!,
      username: user.name,
      password: user.password,
    });
    const client = createClient(api, { token: idToken });
    const photograph = await samplePhotograph();
    const bytes = new Uint8Array(photograph.bytes);

    // starts the function
    const first = await readyAfter(client, bytes);
    await preparedAfter(photograph.bytes);
    const waits: number[] = [];
    const alone: number[] = [];
    for (let run = 0; run < runs; run++) {
      waits.push(await readyAfter(client, bytes));
      alone.push(await preparedAfter(photograph.bytes));
    }

    printTable(
      [`ms, ${runs} times: ${photograph.label}`, "first", "p50", "p90"],
      [
        ["S3's 201 to ready", first, median(waits), quantile(waits, 0.9)],
        ["ingest's pixel work alone", "", median(alone), quantile(alone, 0.9)],
      ],
    );
    console.log("");
    const added = median(waits) - median(alone);
    reportGoal(
      "Upload to ready",
      "ready at most 150 ms after the time of ingest's pixel work alone, p50",
      `${added.toFixed(0)} ms`,
      added <= 150,
    );
  });
}

async function readyAfter({ v1 }: Client, bytes: Uint8Array<ArrayBuffer>) {
  const json = { type: "image/jpeg", bytes: bytes.length };
  const { image, upload } = await (await v1.uploads.$post({ json })).json();
  if (upload.method !== "form") throw new Error(`The upload is sent in ${upload.method}`);
  await postForm(upload, new Blob([bytes], { type: json.type }));
  const acknowledged = performance.now();
  for (;;) {
    const { state, reason } = await (
      await v1.uploads[":id"].$get({ param: { id: image.id } })
    ).json();
    if (state === "ready") return performance.now() - acknowledged;
    if (state === "rejected") throw new Error(`The image was rejected: ${reason?.detail}`);
    // polling without a pause would take processor time from ingest
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function preparedAfter(bytes: Buffer) {
  const start = performance.now();
  await prepare(bytes, { namedCopy: false });
  return performance.now() - start;
}
