import { VisibleError } from "@balde/core/error";
import { loadSharp } from "@balde/imaging/load-sharp";
import type { Plan } from "@balde/imaging/plan";
import {
  type Rendered,
  render as renderHere,
  renderInto as renderHereInto,
} from "@balde/imaging/render";

import * as Deadline from "./deadline.ts";
import * as RenderSource from "./render-source.ts";

// A rung is rendered in this process: ingest has encoded it. An original is decoded in the worker process, which has no
// credentials and can be ended alone (docs/adr/0028-decoder-without-credentials.md). That process starts with the first
// original, so that a function that reads rungs pays nothing for it.

/** Loads what will render the plan, while its source is read. */
export const load = async (planned: Parameters<typeof RenderSource.needsOriginal>[0]) =>
  RenderSource.needsOriginal(planned) ? (await worker()).start() : loadSharp();

/**
 * The picture. Disposes of the source.
 *
 * @throws as imaging's `render` does; image.too_complex at the deadline
 * @throws delivery.busy if the time was used by renders before this one
 */
export const render = (
  source: RenderSource.RenderSource,
  plan: Plan,
  deadline: Deadline.Deadline,
): Promise<Rendered> =>
  run(source, async ({ image, from, isOriginal }) =>
    isOriginal
      ? (await worker()).render(image, plan, Deadline.limit(deadline))
      : Deadline.before(deadline, renderHere(image, plan, from)),
  );

/**
 * Writes the picture into the file, as imaging's `renderInto` does. Disposes of the source.
 *
 * @throws as `render` does
 */
export const renderInto = (
  file: string,
  source: RenderSource.RenderSource,
  plan: Plan,
  deadline: Deadline.Deadline,
): Promise<void> =>
  run(source, async ({ image, from, isOriginal }) =>
    isOriginal
      ? (await worker()).renderInto(file, image, plan, Deadline.limit(deadline))
      : Deadline.before(deadline, renderHereInto(file, image, plan, from)),
  );

async function run<T>(
  source: RenderSource.RenderSource,
  work: (source: RenderSource.RenderSource) => Promise<T>,
): Promise<T> {
  try {
    return await work(source);
  } catch (error) {
    throw error instanceof Error && error.name === "BusyError" ? busy(error) : error;
  } finally {
    await source.dispose();
  }
}

const worker = () => import("@balde/imaging/worker-process");

const busy = (cause: Error) =>
  new VisibleError("unavailable", "delivery.busy", "Too many images are being rendered right now", {
    cause,
    retryAfterSeconds: 1,
  });
