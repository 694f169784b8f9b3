import * as Bucket from "@balde/core/bucket";
import { VisibleError } from "@balde/core/error";
import * as ObjectKey from "@balde/core/object-key";
import * as EncoderSettings from "@balde/imaging/encoder-settings";
import { engine } from "@balde/imaging/load-sharp";
import { formats } from "@balde/imaging/format";
import type { Plan } from "@balde/imaging/plan";
import { render, renderInto } from "@balde/imaging/render";

import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import * as Reencode from "./reencode.ts";
import * as Deadline from "./deadline.ts";
import { createGate } from "./concurrency-limit.ts";
import * as GrowingFile from "./growing-file.ts";
import * as Lease from "./lease.ts";
import type { Picture } from "./image-cache.ts";
import * as Range from "./range.ts";
import * as SingleFlight from "./single-flight.ts";
import * as RenderSource from "./render-source.ts";
import * as DerivativeStore from "./derivative-store.ts";
import type { Timing } from "./server-timing.ts";

export type Order = {
  picture: Picture;
  plan: Plan;
  hash: string;
  /** Whether it may be made only while the picture has a budget. */
  needsBudget: boolean;
};
export type How = {
  isHead: boolean;
  range: Range.Range | undefined;
  timing: Timing;
  until: Deadline.Deadline;
};

/** A made picture, or the part of it that was asked for. */
export type Derivative = {
  body?: Buffer | Readable | undefined;
  /** Of the body, or of the body that a GET would have; unknown while the picture is being made. */
  bytes?: number;
  contentRange?: string | undefined;
  /** It took the place of the first one. */
  isBetter?: boolean;
  /** Stores the copy, or a better one, or resolves when it cannot be; to be called when the answer is out, which it would delay. */
  store?: () => Promise<void>;
};

/** From the bucket if anybody has asked for this plan before; else rendered, at once for all who wait for it, and stored. undefined when that is counted and the budget is spent. */
export async function get(order: Order, how: How): Promise<Derivative | undefined> {
  const key = storedAs(order);
  let mine: ReturnType<typeof DerivativeStore.get> | undefined;
  // a signature may allow what the budget does not
  const flight = order.needsBudget ? `${key} counted` : key;
  const made = await once(flight, async () => {
    const source = onlyOnce(() => RenderSource.read(order));
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      mine = how.timing.of("stored", DerivativeStore.get(key, how));
      if (await exists(mine)) return undefined;
      const made = await make(order, key, how, source);
      if (made !== "held") return made;
      // another process makes it
      if (performance.now() > how.until) throw tooLate();
      await how.timing.of("wait", sleep(pause));
    }
  });
  if (made === "spent") return undefined;
  if (made) return part(made, how);
  // a stream is read once: who waited for another's look into the bucket now looks himself
  const found = await (mine ?? DerivativeStore.get(key, how));
  if (!found) return get(order, how);
  return Reencode.isDue(order.plan, found)
    ? {
        ...found,
        store: () => gate(() => Reencode.make(order, key, found, how.until)).catch(() => {}),
      }
    : found;
}

/** Most pictures take 20 to 300 ms to make. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;
/** After a picture is made. */
const LATEST_STORE_MS = 500;

/** A range outside the picture is a picture, too. */
const exists = (look: ReturnType<typeof DerivativeStore.get>) =>
  look.then(Boolean, (error: unknown) => {
    if (error instanceof Range.Outside) return true;
    throw error;
  });

type Made = {
  whole: Promise<Buffer>;
  /** Reads along, where the format lets a picture be sent before it is finished. */
  read?: GrowingFile.Growing["read"];
  store: () => Promise<void>;
  /** Settles when the copy is stored, or is known not to be. */
  stored: Promise<void>;
};

async function part({ whole, read, store }: Made, { isHead, range }: How): Promise<Derivative> {
  if (read && !isHead && !range) return { body: read(), store };
  try {
    return { ...Range.part(await whole, range), store };
  } catch (error) {
    // there will be no answer to call it
    await store();
    throw error;
  }
}

/** Whoever comes after a flight has ended finds its picture in the bucket, so nothing is rendered twice. */
const once = SingleFlight.create<Made | "spent" | undefined>((made) =>
  made === "spent" ? undefined : made?.stored,
);
/** libvips keeps one processor busy per picture; a function has one or two. Whoever would wait for more than eight pictures is told to come back. */
const gate = createGate({ running: 2, waiting: 8 });

/** Resolves as soon as there is something to send; the place in the gate is kept until the last byte. */
const make = (order: Order, key: string, how: How, source: () => Promise<RenderSource.Source>) =>
  new Promise<Made | "held" | "spent">((resolve, reject) => {
    const work = async () => {
      const made = await begin(order, how, source);
      if (typeof made === "string") return resolve(made);
      const type = formats[order.plan.encoding.format].contentType;
      const answered = Promise.withResolvers<void>();
      // others wait for the copy, and shall not wait for a client that reads slowly
      const late = made.whole.then(() => sleep(LATEST_STORE_MS, undefined, { ref: false }));
      const stored = Promise.all([made.whole, Promise.race([answered.promise, late])]).then(
        ([data]) => store(key, data, type, made.lease),
        (error: unknown) => {
          console.error({ message: "a picture broke off", key, error });
          return made.lease.end(error);
        },
      );
      const storeNow = () => {
        answered.resolve();
        return stored;
      };
      resolve({ ...made, store: storeNow, stored });
      await made.whole;
    };
    gate(work).catch(reject);
  });

type Begun = Pick<Made, "whole" | "read"> & { lease: Lease.Lease };

async function begin(
  { picture, plan, hash, needsBudget }: Order,
  { timing, until }: How,
  source: () => Promise<RenderSource.Source>,
): Promise<Begun | "held" | "spent"> {
  const taking = Lease.take({ imageId: picture.id, plan: hash, needsBudget: needsBudget }, until);
  try {
    // for what is likely to be refused nothing is read
    const early = needsBudget && Lease.isBudgetSpent(picture.id) ? await taking : undefined;
    if (typeof early === "string") return early;
    // while the bytes come, the engine is loaded and the lease taken
    const [{ bytes, from }, lease] = await timing.of(
      "read",
      Promise.all([source(), taking, engine()]),
    );
    if (typeof lease === "string") return lease;
    if (EncoderSettings.isByRows(plan.encoding)) {
      const into = (file: string) => Deadline.within(until, renderInto(file, bytes, plan, from));
      return { ...(await timing.of("begin", GrowingFile.create(into))), lease };
    }
    const rendering = Deadline.within(until, render(bytes, plan, from));
    const { data } = await timing.of("render", rendering);
    return { whole: Promise.resolve(data), lease };
  } catch (error) {
    await Lease.giveUp(taking, error);
    throw error;
  }
}

/** Equal plans make equal bytes, so whoever stores first is right. Whoever asked has his picture either way. */
async function store(key: string, data: Buffer, type: string, lease: Lease.Lease) {
  try {
    await Bucket.put(key, data, { type, createOnly: true });
    await lease.end();
  } catch (error) {
    console.error({ message: "a rendered picture was not stored", key, error });
    await lease.end(error);
  }
}

function onlyOnce<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

const storedAs = ({ picture: { id, rev }, plan, hash }: Order) =>
  ObjectKey.derived(id, rev, `${hash}.${formats[plan.encoding.format].extension}`);

const tooLate = () =>
  new VisibleError("unavailable", "delivery.busy", "The picture is still being made", {
    retryAfterSeconds: 1,
  });
