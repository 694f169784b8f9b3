import * as Bucket from "@balde/core/bucket";
import { VisibleError } from "@balde/core/error";
import * as ObjectKey from "@balde/core/object-key";
import { engine } from "@balde/images/engine";
import { formats } from "@balde/images/format";
import * as Ladder from "@balde/images/ladder";
import type { Plan } from "@balde/images/plan";
import { type Rendered, render } from "@balde/images/render";

import type { Readable } from "node:stream";

import { createGate } from "./gate.ts";
import type { Picture } from "./picture.ts";
import * as Range from "./range.ts";
import * as SingleFlight from "./single-flight.ts";
import * as Stored from "./stored.ts";
import type { Timing } from "./timing.ts";

export type Order = { picture: Picture; plan: Plan; hash: string };
export type How = { isHead: boolean; range: Range.Range | undefined; timing: Timing };

/** A made picture, or the part of it that was asked for. */
export type Derivative = {
  body?: Buffer | Readable | undefined;
  /** Of the body, or of the body that a GET would have. */
  bytes: number;
  contentRange?: string | undefined;
  /** Settles when the copy is stored, or is known not to be. */
  storing?: Promise<void>;
};

/** From the bucket if anybody has asked for this plan before; else rendered, at once for all who wait for it, and stored. */
export async function get(order: Order, how: How): Promise<Derivative> {
  const key = storedAs(order);
  let mine: ReturnType<typeof Stored.get> | undefined;
  const made = await once(key, async () => {
    mine = how.timing.of("stored", Stored.get(key, how));
    return (await exists(mine)) ? undefined : make(order, key, how.timing);
  });
  if (made) return { ...Range.part(made.data, how.range), storing: made.storing };
  // a stream is read once: who waited for another's look into the bucket now looks himself
  return (await (mine ?? Stored.get(key, how))) ?? get(order, how);
}

/** A range outside the picture is a picture, too. */
const exists = (look: ReturnType<typeof Stored.get>) =>
  look.then(Boolean, (error: unknown) => {
    if (error instanceof Range.Outside) return true;
    throw error;
  });

type Made = { data: Buffer; storing: Promise<void> };

/** Whoever comes after a flight has ended finds its picture in the bucket, so nothing is rendered twice. */
const once = SingleFlight.create<Made | undefined>((made) => made?.storing);
/** libvips keeps one processor busy per picture; a function has one or two. Whoever would wait for more than eight pictures is told to come back. */
const gate = createGate({ running: 2, waiting: 8 });

const make = ({ picture, plan }: Order, key: string, timing: Timing): Promise<Made> =>
  gate(async () => {
    const rung = Ladder.choose(plan, picture.source, picture.rungs);
    // the engine is loaded while the bytes come
    const [{ bytes, from }] = await timing.of("read", Promise.all([read(picture, rung), engine()]));
    const made = await timing.of("render", render(bytes, plan, from));
    return { data: made.data, storing: store(key, made) };
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
async function store(key: string, { data, contentType }: Rendered) {
  try {
    await Bucket.put(key, data, { type: contentType, createOnly: true });
  } catch (error) {
    console.error({ message: "a rendered picture was not stored", key, error });
  }
}

const storedAs = ({ picture: { id, rev }, plan, hash }: Order) =>
  ObjectKey.derived(id, rev, `${hash}.${formats[plan.encoding.format].extension}`);

const gone = (id: string) =>
  new VisibleError("not_found", "image.not_found", `There is no image ${id}`);
