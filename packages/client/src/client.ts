import type { App } from "@balde/api/app";
import { hc } from "hono/client";

import type { Api, CreateUpload, Image, ResponseBody } from "./api.ts";
import { type ImageRequest, type ImageRef, imageUrl, srcset } from "./image-url.ts";
import { problemFetch } from "./problem.ts";
import { createUploadCalls } from "./upload-calls.ts";
import { type UploadOptions, type UploadTask, resumeUpload, startUpload } from "./upload-task.ts";

export type { Image, ResponseBody, UploadState } from "./api.ts";
export { imageUrl, srcset } from "./image-url.ts";
export { type Code, ProblemError } from "./problem.ts";
export { type Tokens, signIn } from "./sign-in.ts";
export type { UploadOptions, UploadTask } from "./upload-task.ts";
export { slugOf } from "./slug.ts";

export type Options = {
  /** The ID token of Cognito, or a function that is called for it before each request. Public reads need none. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  fetch?: typeof globalThis.fetch;
};

/** The metadata of an uploaded image. A File sends its type and its name (`fileName`) by itself; the image's type is found in its bytes. */
export type UploadMetadata = Omit<CreateUpload, "type" | "bytes" | "method"> & { type?: string };

/** The signed URLs in the order of the requests, and the time at which all of them expire (ISO 8601). */
export type SignedUrls = ResponseBody<Api["images"][":id"]["urls"]["$post"]>;

export type Client = ReturnType<typeof createClient>;

/**
 * A client of the API at `baseUrl`, which ends with the stage and has no slash at the end: the `api` of
 * `.balde/local.json`. Every call that fails rejects with a ProblemError.
 */
export function createClient(baseUrl: string, options: Options = {}) {
  const { token, fetch = globalThis.fetch } = options;
  const api = hc<App>(baseUrl, {
    fetch: problemFetch(fetch),
    async headers(): Promise<Record<string, string>> {
      const current = typeof token === "function" ? await token() : token;
      return current ? { authorization: `Bearer ${current}` } : {};
    },
  }).v1;
  const calls = createUploadCalls(api);
  const start = (
    file: Blob,
    metadata: UploadMetadata = {},
    options: UploadOptions = {},
  ): UploadTask => {
    const type = metadata.type ?? file.type;
    const description = { ...fileNameOf(file), ...metadata, type, bytes: file.size };
    return startUpload(calls, file, description, options);
  };

  return {
    /** Every route with its types: `client.v1.images[":id"].$get({ param: { id } })`. */
    v1: api satisfies Api,

    /**
     * Uploads a file of at most 500 MiB directly to the bucket and returns the image once it is `ready`: as one form up to
     * 16 MiB, in parts above. What fails for a moment is tried again, and a lost network is waited for.
     * @throws ProblemError with the reason if the file is rejected, or `storage.…` if the bucket rejects it
     * @throws the signal's reason if it aborts; the image is deleted then
     */
    async upload(
      file: Blob,
      metadata: UploadMetadata = {},
      options: UploadOptions = {},
    ): Promise<Image> {
      return start(file, metadata, options).done;
    },

    /** The same as `upload`, which can be paused. */
    startUpload: start,

    /**
     * Goes on with an upload of the last day, for example after the page was closed, from the image's id and the same file.
     * Of a file in parts it sends those that the bucket does not have. Of one that has come already it only waits.
     * `done` rejects with a RangeError if the file has another size.
     */
    resumeUpload: (id: Image["id"], file: Blob, options: UploadOptions = {}): UploadTask =>
      resumeUpload(calls, id, file, options),

    /**
     * Signed URLs of your own image, one for each request and in their order. Anyone who has such a URL can read the image
     * until `expiresAt`: after `seconds` (3600 by default, at most 604800), or up to a tenth of it earlier. Private images have no other URLs.
     * @throws ProblemError such as image.not_yours, image.not_found or image.unfinished
     */
    async urls(
      { id }: Pick<Image, "id">,
      requests: ImageRequest[],
      { seconds }: { seconds?: number } = {},
    ): Promise<SignedUrls> {
      const json = { requests, ...(seconds !== undefined && { seconds }) };
      return (await api.images[":id"].urls.$post({ param: { id }, json })).json();
    },

    /** The URL of an image in the requested size and format; see `imageUrl`. */
    imageUrl: (image: ImageRef, asked?: ImageRequest) => imageUrl(baseUrl, image, asked),
    /** The `srcset` of an image; see `srcset`. */
    srcset: (image: ImageRef, asked?: ImageRequest) => srcset(baseUrl, image, asked),
  };
}

/** The name of a File; a Blob has none. */
const fileNameOf = (file: Blob & { name?: unknown }) =>
  typeof file.name === "string" ? { fileName: file.name } : {};
