import { join } from "node:path";

import type { CloudAddresses } from "@balde/local-cloud";

import { type Client, createClient, signIn } from "../../../packages/client/src/client.ts";
import { type Target, WIDTH, QUALITY, startProgram } from "./target.ts";
import type { Original } from "./corpus.ts";
import { get } from "./load.ts";
import { usageOf } from "./process-tree.ts";

type StartMessage = {
  local: CloudAddresses & { api: string };
  user: { name: string; password: string };
};
type Copy = { id: string; rev: string };

/** Images with the same bytes, so that no image exceeds its budget of plans. */
const COPIES = 14;

export type Balde = Target & {
  image(original: Original): Copy;
  /** Environment of other processes: the endpoints of AWS and the operator's credentials. */
  environment: Record<string, string>;
  /** Returns a URL that was not requested before, of an image that looks like all others. */
  fresh(original: Original, format: string): string;
};

/** Starts the whole local cloud: gateway, `Deliver` bundled as for AWS, table and bucket. */
export async function startBalde(originals: Original[]): Promise<Balde> {
  const server = await startProgram<StartMessage>(join(import.meta.dirname, "balde.server.ts"), []);
  const { local, user } = server.message;
  const { idToken } = await signIn({
    ...local.cognito!,
    username: user.name,
    password: user.password,
  });
  const client = createClient(local.api, { token: idToken });
  const copies = new Map<Original, Copy[]>();
  for (const original of originals) {
    const ids: Copy[] = [];
    for (let copy = 0; copy < COPIES; copy++) ids.push(await uploaded(client, original));
    copies.set(original, ids);
  }

  let plans = 0;
  const url = (original: Original, format: string, plan: number) => {
    const { id, rev } = copies.get(original)![plan % COPIES]!;
    // the background of an opaque image is not visible, but makes another plan
    const bg = plan.toString(16).padStart(6, "0");
    return `${local.api}/i/${id}/${rev}?w=${WIDTH}&f=${format}&q=${QUALITY}&bg=${bg}`;
  };
  const made = new Map<string, string[]>();
  const fresh = (original: Original, format: string) => {
    const key = `${original.megapixels} ${format}`;
    const address = url(original, format, plans++);
    made.set(key, [...(made.get(key) ?? []), address]);
    return address;
  };
  let next = 0;
  return {
    name: "Balde",
    formats: ["webp", "avif", "jpeg"],
    fresh,
    image: (original) => copies.get(original)![0]!,
    environment: {
      AWS_REGION: local.region,
      AWS_ACCESS_KEY_ID: local.iam.accessKeyId,
      AWS_SECRET_ACCESS_KEY: local.iam.secretAccessKey,
      AWS_ENDPOINT_URL_S3: local.s3!.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: local.dynamodb!.endpoint,
    },
    renderNew: async (original, format) => (await get(fresh(original, format))).body,
    async renderAgain(original, format) {
      const known = made.get(`${original.megapixels} ${format}`)!;
      return (await get(known[next++ % known.length]!)).body;
    },
    usage: () => usageOf(server.child.pid!, (command) => command.includes("/functions/Deliver/")),
    stop: server.stop,
  };
}

async function uploaded(client: Client, { bytes }: Original): Promise<Copy> {
  const image = await client.upload(new Blob([new Uint8Array(bytes)], { type: "image/jpeg" }));
  return { id: image.id, rev: image.rev! };
}
