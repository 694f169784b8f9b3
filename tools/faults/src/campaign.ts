import { setTimeout as sleep } from "node:timers/promises";

import { type Image, type User, send } from "../../e2e/src/api-calls.ts";
import { sampleJpeg } from "../../e2e/src/sample-image.ts";
import { imagesOf } from "./audit.ts";
import { type Converged, converge } from "./converge.ts";
import type { Kind } from "./fault-proxy.ts";
import { pick, seededRandom } from "./random.ts";
import type { Balde } from "./start-balde.ts";

export type CampaignOptions = {
  seed: number;
  /** The campaign ends when so many processes were killed and so many calls have failed. */
  kills: number;
  faults: number;
  /** The share of calls that fail, from 0 to 1. */
  rate: number;
  /** The longest pause between two kills; a process is killed when it works. */
  maxPauseMs: number;
};

export type CampaignResult = Converged & {
  kills: number;
  faults: number;
  requests: number;
  /** Responses that acknowledged a change. */
  acknowledged: number;
  /** Sentences about acknowledged changes that are not there. */
  lost: string[];
};

/** A stall ends by a timeout after seconds, so it is rare. */
const KINDS: Kind[] = (["drop", "lostAnswer", "delay", "error500", "throttled", "cut"] as const)
  .flatMap((kind): Kind[] => [kind, kind, kind])
  .concat("stall");

const ACTIONS = [
  "upload",
  "upload",
  "hide",
  "show",
  "like",
  "unlike",
  "view",
  "reprocess",
  "delete",
];
/** No two users of campaigns one after the other have the same seed: their names would be the same. */
const MAX_USERS = 100;
const CONVERGE_WITHIN_MS = 120_000;

/** What the responses to one image's requests promise. A value that is undefined is not known: a request was not answered. */
type Promised = {
  image: Image;
  isDeleted: boolean | undefined;
  visibility: string | undefined;
  isLiked: boolean | undefined;
};

/**
 * Users upload, change, like, view and delete images while processes are killed and calls fail, all chosen by the seed. Then
 * nothing fails any more, and everything must become what was acknowledged, and nothing else may be left.
 */
export async function runCampaign(balde: Balde, options: CampaignOptions): Promise<CampaignResult> {
  const { cloud, proxy } = balde;
  const photographs = await Promise.all(
    Array.from({ length: 4 }, async (_, seed) => {
      return new Uint8Array(await sampleJpeg(320 + 160 * seed, 240, seed + 1));
    }),
  );
  const count = { kills: 0, requests: 0, acknowledged: 0 };
  const faults = () => proxy.calls().filter(({ fault }) => fault).length;
  const isOver = () => count.kills >= options.kills && faults() >= options.faults;
  proxy.forget();
  proxy.failRandomly({ seed: options.seed, rate: options.rate, kinds: KINDS });
  const promised = await Promise.all([
    kill(),
    ...balde.users.map((user, index) => work(user, seededRandom(MAX_USERS * options.seed + index))),
  ]);
  const injected = faults();
  proxy.clear();
  const converged = await converge(balde, CONVERGE_WITHIN_MS);
  const lost = await findLost(balde, promised.flat());
  return { ...converged, ...count, faults: injected, lost };

  async function kill(): Promise<Promised[]> {
    const random = seededRandom(options.seed);
    while (!isOver()) {
      await sleep(random() * options.maxPauseMs);
      if (count.kills < options.kills) count.kills += cloud.killProcesses();
    }
    return [];
  }

  async function work(user: User, random: () => number): Promise<Promised[]> {
    const images: Promised[] = [];
    while (!isOver()) {
      const action = pick(random, ACTIONS);
      const alive = images.filter(({ isDeleted }) => isDeleted === false);
      if (action === "upload" || alive.length === 0) {
        const created = await upload(user, random);
        if (created) images.push(created);
      } else await change(user, pick(random, alive), action, random);
    }
    return images;
  }

  async function upload(user: User, random: () => number): Promise<Promised | undefined> {
    const name = `c${Math.floor(random() * 1e9)}.jpg`;
    const path = `/v1/images?title=${name}${random() < 0.5 ? "" : `&name=${name}`}`;
    const body = pick(random, photographs);
    const headers = { "content-type": "image/jpeg", "idempotency-key": name };
    let response = await request(() => user.send("POST", path, body, headers));
    // as a client repeats a request of which it does not know what became of it
    for (let repeat = 0; repeat < 3 && !response?.ok; repeat++) {
      await sleep(random() * 300);
      response = await request(() => user.send("POST", path, body, headers));
    }
    if (!response?.ok) return undefined;
    const image = response.body as Image;
    return { image, isDeleted: false, visibility: "public", isLiked: false };
  }

  async function change(user: User, about: Promised, action: string, random: () => number) {
    const { id } = about.image;
    const path = `/v1/images/${id}`;
    if (action === "hide" || action === "show") {
      const visibility = action === "hide" ? "private" : "public";
      const any = { "if-match": "*" };
      const response = await request(() => user.send("PATCH", path, { visibility }, any));
      if (response?.ok) about.visibility = visibility;
      // a request that was not answered may have been carried out; a refused one was not
      else if (!response || response.status >= 500) about.visibility = undefined;
    }
    if (action === "like" || action === "unlike") {
      const isLiked = action === "like";
      const response = await request(() => user.send(isLiked ? "PUT" : "DELETE", `${path}/like`));
      if (response?.ok) about.isLiked = isLiked;
      else if (!response || response.status >= 500) about.isLiked = undefined;
    }
    if (action === "view")
      await request(() => send(balde.local, "GET", `/i/${id}?w=${20 + Math.floor(random() * 40)}`));
    if (action === "reprocess")
      await request(() => balde.admin("POST", "/reprocess", { imageId: id }));
    if (action === "delete") {
      const response = await request(() => user.send("DELETE", path));
      about.isDeleted = response?.ok ? true : undefined;
    }
  }

  /** undefined if there was no response. */
  async function request(run: () => Promise<Response>) {
    count.requests += 1;
    try {
      const response = await run();
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json");
      if (response.ok) count.acknowledged += 1;
      return {
        ok: response.ok,
        status: response.status,
        body: isJson && text ? (JSON.parse(text) as unknown) : text,
      };
    } catch {
      return undefined;
    }
  }
}

async function findLost({ stores }: Balde, promised: Promised[]): Promise<string[]> {
  const rows = await stores.rows();
  const images = imagesOf(rows);
  const liked = new Set(
    rows.flatMap(({ pk }) => (pk.startsWith("LIKE#") ? [pk.split("#")[1]!] : [])),
  );
  const titles = [...images.values()].flatMap(({ title }) => (title ? [title] : []));
  const twice = titles.filter((title, index) => titles.indexOf(title) < index);
  const lost = promised.flatMap(({ image: { id }, isDeleted, visibility, isLiked }) => {
    const { state = "absent", visibility: actual } = images.get(id) ?? {};
    const isGone = state === "deleted" || state === "absent";
    if (isDeleted === true) return isGone ? [] : [`${id} was deleted and is ${state}`];
    if (isGone) return isDeleted === undefined ? [] : [`${id} was uploaded and is ${state}`];
    return [
      ...(state === "ready" ? [] : [`${id} was uploaded and is ${state}`]),
      ...(visibility && visibility !== actual ? [`${id} is ${actual}, not ${visibility}`] : []),
      ...(isLiked !== undefined && isLiked !== liked.has(id)
        ? [`${id} is ${isLiked ? "not " : ""}liked`]
        : []),
    ];
  });
  return [...lost, ...twice.map((title) => `${title} was uploaded twice by one request`)];
}
