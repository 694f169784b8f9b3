import type { CreateUpload, Image, UploadState } from "./api.ts";
import { createPartSender } from "./part-sender.ts";
import { createPauseSwitch } from "./pause-switch.ts";
import { ProblemError } from "./problem.ts";
import { createProgress } from "./progress.ts";
import { type Attempt, sleep, withRetries } from "./retry.ts";
import { type SendOptions, type UploadForm, isExpiry, postForm } from "./send-to-bucket.ts";
import type { Begun, UploadCalls } from "./upload-calls.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

export type UploadOptions = SendOptions & {
  /** Resolves as soon as the bucket has stored the image, which is still `pending` then. */
  resolveWhenStored?: boolean;
  /** `parts` sends a file of any size in parts. Default: a form up to 16 MiB, parts above. */
  method?: "form" | "parts";
  /** Called when the image exists: with its id, `client.resumeUpload` goes on after the page was closed. */
  onCreated?: (image: Pick<Image, "id">) => void;
  /** The longest pause before the first retry, in milliseconds; each next one is twice as long, up to 20 seconds. Default 500. */
  retryDelayMs?: number;
};

export type UploadTask = {
  /** The image when it is `ready`, or with `resolveWhenStored` as soon as the bucket has it. Rejects with the reason if it fails or is aborted. */
  done: Promise<Image>;
  /** Interrupts sending. What the bucket has stays there, for a day. A file that is sent as a form starts again. */
  pause(): void;
  resume(): void;
  /** Ends the upload and deletes its image. Resolves when the server has done it, as far as it can be reached. */
  abort(): Promise<void>;
};

/** Sends a new file. `json` describes the image. */
export const startUpload = (
  calls: UploadCalls,
  file: Blob,
  json: CreateUpload,
  options: UploadOptions,
): UploadTask => {
  const key = crypto.randomUUID();
  return createTask(calls, file, options, async (attempt) => {
    const { method } = options;
    const begun = await attempt((signal) =>
      calls.create({ ...json, ...(method && { method }) }, key, signal),
    );
    return { ...begun, stored: [] };
  });
};

/** Goes on with the upload of an image, from the same file. */
export const resumeUpload = (
  calls: UploadCalls,
  id: Image["id"],
  file: Blob,
  options: UploadOptions,
): UploadTask =>
  createTask(calls, file, options, async (attempt) => {
    const state = await attempt((signal) => calls.state(id, signal));
    if (isPending(state) && state.bytes !== file.size)
      throw new RangeError(`The file has ${file.size} bytes; the upload ${id} has ${state.bytes}`);
    const image = await attempt((signal) => calls.image(id, signal));
    if (!isPending(state)) return { image, stored: [] };
    const { partBytes, partCount, parts = [] } = state;
    if (partBytes && partCount)
      return { image, parts: { partBytes, partCount }, stored: parts.map(({ number }) => number) };
    const form = await attempt((signal) => calls.renewForm(id, signal));
    return { image, form, stored: [] };
  });

/** Neither a form nor parts: the bucket has the file. `stored` has the numbers of parts. */
type Started = Begun & { stored: number[] };

function createTask(
  calls: UploadCalls,
  file: Blob,
  options: UploadOptions,
  begin: (attempt: Attempt) => Promise<Started>,
): UploadTask {
  const { retryDelayMs, resolveWhenStored, onCreated } = options;
  const pauseSwitch = createPauseSwitch();
  const ended = new AbortController();
  const progress = createProgress(file.size, options.onProgress);
  let created: Image["id"] | undefined;
  let deletion: Promise<void> | undefined;

  const attempt: Attempt = async (work) => {
    for (;;) {
      await pauseSwitch.untilRunning(ended.signal);
      const signal = AbortSignal.any([ended.signal, pauseSwitch.signal]);
      const { signal: paused } = pauseSwitch;
      try {
        return await withRetries(() => work(signal), {
          signal,
          ...(retryDelayMs !== undefined && { retryDelayMs }),
        });
      } catch (error) {
        if (ended.signal.aborted || !paused.aborted) throw error;
      }
    }
  };

  async function run(): Promise<Image> {
    const started = await begin(attempt);
    const { image, form, parts, stored } = started;
    const { id } = image;
    created = id;
    onCreated?.({ id });
    ended.signal.throwIfAborted();
    if (form) await sendForm(id, form);
    if (parts) await createPartSender({ calls, id, file, parts, attempt, progress }).send(stored);
    progress.finish();
    return resolveWhenStored ? image : waitUntilReady(calls, id, attempt, ended.signal);
  }

  async function sendForm(id: Image["id"], first: UploadForm): Promise<void> {
    let form: UploadForm | undefined = first;
    await attempt(async (signal) => {
      // after an error the file may have come nevertheless
      if (!form && !isPending(await calls.state(id, signal))) return;
      form ??= await calls.renewForm(id, signal);
      const current = form;
      form = undefined;
      try {
        await postForm(current, file, { signal, onProgress: (sent) => progress.set(0, sent) });
      } catch (error) {
        if (isExpiry(error)) throw new TypeError("The form has expired", { cause: error });
        throw error;
      }
    });
  }

  /** Deletes the image on the server, whatever is reached of it. */
  const remove = (): Promise<void> =>
    (deletion ??= (async () => {
      if (!created) return;
      try {
        await calls.abort(created);
      } catch (error) {
        const isReceived = error instanceof ProblemError && error.code === "upload.received";
        if (isReceived) await calls.deleteImage(created).catch(() => {});
      }
    })());

  const onAbort = () => ended.abort(options.signal!.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });

  const done = run()
    .catch(async (error: unknown) => {
      if (!ended.signal.aborted) throw error;
      // a server that does not respond does not keep a person waiting
      await Promise.race([remove(), sleep(ABORT_MS)]);
      throw ended.signal.reason;
    })
    .finally(() => options.signal?.removeEventListener("abort", onAbort));

  // a task whose result is not asked for is no unhandled rejection
  done.catch(() => {});
  return {
    done,
    pause: pauseSwitch.pause,
    resume: pauseSwitch.resume,
    async abort() {
      ended.abort(new DOMException("The upload was aborted", "AbortError"));
      await done.catch(() => {});
    },
  };
}

const ABORT_MS = 5_000;

const isPending = ({ state, received }: UploadState) => state === "pending" && !received;
