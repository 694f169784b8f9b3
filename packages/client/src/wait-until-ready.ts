import type { Image, UploadState } from "./api.ts";
import { ProblemError } from "./problem.ts";
import { type Attempt, sleep } from "./retry.ts";
import type { UploadCalls } from "./upload-calls.ts";

/**
 * Polls an upload until its image is ready, first after 50 ms, then at growing intervals of at most 2 s.
 * @throws ProblemError with the reason if it is rejected
 */
export async function waitUntilReady(
  calls: UploadCalls,
  id: Image["id"],
  attempt: Attempt,
  signal?: AbortSignal,
): Promise<Image> {
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 2_000)) {
    const upload = await attempt((attemptSignal) => calls.state(id, attemptSignal));
    if (upload.state === "ready") return attempt((attemptSignal) => calls.image(id, attemptSignal));
    if (upload.state !== "pending" && upload.state !== "processing") throw rejectedError(upload);
    await sleep(pause, signal);
  }
}

const rejectedError = ({ state, reason }: UploadState) =>
  new ProblemError({
    code: reason?.code ?? `image.${state}`,
    status: 422,
    title: "The image was rejected",
    detail: reason?.detail ?? `The image is ${state}`,
  });
