import { join } from "node:path";

import type { CloudAddresses } from "@balde/local-cloud";

import { type Client, createClient, signIn } from "../../../packages/client/src/client.ts";
import { type Contender, EDGE, QUALITY, program } from "./target.ts";
import type { Original } from "./corpus.ts";
import { get } from "./load.ts";
import { usage } from "./process-tree.ts";

type Told = { local: CloudAddresses & { api: string }; person: { name: string; password: string } };
type Copy = { id: string; rev: string };

/** As many images of the same bytes, so that none has more plans than one image may have. */
const COPIES = 14;

export type Balde = Contender & {
  image(original: Original): Copy;
  /** For a process that is started beside it: where AWS is, and who may do anything there. */
  environment: Record<string, string>;
  /** An address that nobody has asked for, for a picture that looks like every other. */
  fresh(original: Original, format: string): string;
};

/** The whole local cloud: gateway, `Deliver` as it is bundled and run for AWS, table and bucket. */
export async function startBalde(originals: Original[]): Promise<Balde> {
  const server = await program<Told>(join(import.meta.dirname, "balde.server.ts"), []);
  const { local, person } = server.told;
  const { idToken } = await signIn({
    ...local.cognito!,
    username: person.name,
    password: person.password,
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
    // what is behind a picture without holes is never seen, but makes another plan
    const bg = plan.toString(16).padStart(6, "0");
    return `${local.api}/i/${id}/${rev}?w=${EDGE}&f=${format}&q=${QUALITY}&bg=${bg}`;
  };
  const made = new Map<string, string[]>();
  const fresh = (original: Original, format: string) => {
    const key = `${original.megapixels} ${format}`;
    const address = url(original, format, plans++);
    made.set(key, [...(made.get(key) ?? []), address]);
    return address;
  };
  let asked = 0;
  return {
    name: "Balde",
    makes: ["webp", "avif", "jpeg"],
    fresh,
    image: (original) => copies.get(original)![0]!,
    environment: {
      AWS_REGION: local.region,
      AWS_ACCESS_KEY_ID: local.iam.accessKeyId,
      AWS_SECRET_ACCESS_KEY: local.iam.secretAccessKey,
      AWS_ENDPOINT_URL_S3: local.s3!.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: local.dynamodb!.endpoint,
    },
    make: async (original, format) => (await get(fresh(original, format))).body,
    async again(original, format) {
      const known = made.get(`${original.megapixels} ${format}`)!;
      return (await get(known[asked++ % known.length]!)).body;
    },
    usage: () => usage(server.child.pid!, (command) => command.includes("/functions/Deliver/")),
    stop: server.stop,
  };
}

async function uploaded(client: Client, { bytes }: Original): Promise<Copy> {
  const image = await client.upload(new Blob([new Uint8Array(bytes)], { type: "image/jpeg" }));
  return { id: image.id, rev: image.rev! };
}
