import * as Bucket from "@balde/core/bucket";
import { VisibleError } from "@balde/core/error";
import * as ObjectKey from "@balde/core/object-key";
import * as PlanBudget from "@balde/core/plan-budget";
import * as Encoding from "@balde/images/encoding";
import { engine } from "@balde/images/engine";
import { formats } from "@balde/images/format";
import * as Ladder from "@balde/images/ladder";
import type { Plan } from "@balde/images/plan";
import { render, renderInto } from "@balde/images/render";

import type { Readable } from "node:stream";

import * as Deadline from "./deadline.ts";
import { createGate } from "./gate.ts";
import * as Growing from "./growing.ts";
import type { Picture } from "./picture.ts";
import * as Range from "./range.ts";
import * as SingleFlight from "./single-flight.ts";
import * as Stored from "./stored.ts";
import type { Timing } from "./timing.ts";

export type Order = {
  picture: Picture;
  plan: Plan;
  hash: string;
  /** Whether it may be made only while the picture has a budget. */
  isCounted: boolean;
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
  /** Stores the copy, or resolves when it cannot be; to be called when the answer is out, which it would delay. */
  store?: () => Promise<void>;
};

/** From the bucket if anybody has asked for this plan before; else rendered, at once for all who wait for it, and stored. undefined when that is counted and the budget is spent. */
export async function get(order: Order, how: How): Promise<Derivative | undefined> {
  const key = storedAs(order);
  let mine: ReturnType<typeof Stored.get> | undefined;
  // a signature may allow what the budget does not
  const flight = order.isCounted ? `${key} counted` : key;
  const made = await once(flight, async () => {
    mine = how.timing.of("stored", Stored.get(key, how));
    return (await exists(mine)) ? undefined : make(order, key, how);
  });
  if (made === "spent") return undefined;
  if (made) return part(made, how);
  // a stream is read once: who waited for another's look into the bucket now looks himself
  return (await (mine ?? Stored.get(key, how))) ?? get(order, how);
}

/** A range outside the picture is a picture, too. */
const exists = (look: ReturnType<typeof Stored.get>) =>
  look.then(Boolean, (error: unknown) => {
    if (error instanceof Range.Outside) return true;
    throw error;
  });

type Made = {
  whole: Promise<Buffer>;
  /** Reads along, where the format lets a picture be sent before it is finished. */
  read?: Growing.Growing["read"];
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
const make = (order: Order, key: string, how: How) =>
  new Promise<Made | "spent">((resolve, reject) => {
    const work = async () => {
      const made = await begin(order, how);
      if (made === "spent") return resolve(made);
      const answered = Promise.withResolvers<void>();
      const stored = Promise.all([made.whole, answered.promise]).then(
        ([data]) => store(key, data, formats[order.plan.encoding.format].contentType),
        (error: unknown) => console.error({ message: "a picture broke off", key, error }),
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

async function begin(
  { picture, plan, hash, isCounted }: Order,
  { timing, until }: How,
): Promise<Pick<Made, "whole" | "read"> | "spent"> {
  const rung = Ladder.choose(plan, picture.source, picture.rungs);
  // while the bytes come, the engine is loaded and the budget asked
  const [{ bytes, from }, isAllowed] = await timing.of(
    "read",
    Promise.all([read(picture, rung), !isCounted || spend(picture.id, hash), engine()]),
  );
  if (!isAllowed) return "spent";
  if (Encoding.isByRows(plan.encoding)) {
    const into = (file: string) => Deadline.within(until, renderInto(file, bytes, plan, from));
    return timing.of("begin", Growing.create(into));
  }
  const rendering = Deadline.within(until, render(bytes, plan, from));
  const { data } = await timing.of("render", rendering);
  return { whole: Promise.resolve(data) };
}

/** A table that does not answer costs nobody his picture. */
const spend = (id: Picture["id"], hash: string) =>
  PlanBudget.spend(id, hash).catch((error: unknown) => {
    console.error({ message: "a plan was not counted", id, error });
    return true;
  });

/** The rung, or the original when there is none or it has not been stored. */
async function read({ id, rev, source }: Picture, rung: Picture["rungs"][number] | undefined) {
  const small = rung && (await Bucket.read(ObjectKey.rung(id, rev, rung)));
  if (small) return { bytes: small, from: { width: rung.width, height: rung.height } };
  const bytes = await Bucket.read(ObjectKey.original(id, rev));
  if (!bytes) throw gone(id);
  return { bytes, from: { width: source.width, height: source.height } };
}

/** Equal plans make equal bytes, so whoever stores first is right. Whoever asked has his picture either way. */
async function store(key: string, data: Buffer, type: string) {
  try {
    await Bucket.put(key, data, { type, createOnly: true });
  } catch (error) {
    console.error({ message: "a rendered picture was not stored", key, error });
  }
}

const storedAs = ({ picture: { id, rev }, plan, hash }: Order) =>
  ObjectKey.derived(id, rev, `${hash}.${formats[plan.encoding.format].extension}`);

const gone = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id}`);
