import type { App } from "@balde/api/app";
import { type ClientResponse, hc } from "hono/client";

import { type ImageRequest, type ImageRef, imageUrl, srcset } from "./image-url.ts";
import { ProblemError, problemFetch } from "./problem.ts";
import { type SendOptions, type UploadForm, postForm } from "./upload.ts";

export { imageUrl, srcset } from "./image-url.ts";
export { type Code, ProblemError } from "./problem.ts";
export { type Tokens, signIn } from "./sign-in.ts";

export type Options = {
  /** The ID token of Cognito, or a function that is called for it before each request. Public reads need none. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  fetch?: typeof globalThis.fetch;
};

// TypeScript computes this type once, here, and not in every file that uses the client: https://hono.dev/docs/guides/rpc#compile-your-code-before-using-it-recommended
type Api = ReturnType<typeof hc<App>>["v1"];
type CreateUpload = Parameters<Api["uploads"]["$post"]>[0]["json"];
type CreatedUpload = ResponseBody<Api["uploads"]["$post"]>;

export type Image = CreatedUpload["image"];
export type ResponseBody<Call extends (...input: never[]) => Promise<unknown>> =
  Awaited<ReturnType<Call>> extends ClientResponse<infer Body> ? Body : never;

/** The metadata of an uploaded image. `type` is needed only if the Blob has none. */
export type UploadMetadata = Omit<CreateUpload, "type" | "bytes" | "method"> & { type?: string };
export type UploadOptions = SendOptions & {
  /** Resolves as soon as the bucket has stored the image, which is still `pending` then. */
  resolveWhenStored?: boolean;
};

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

  return {
    /** Every route with its types: `client.v1.images[":id"].$get({ param: { id } })`. */
    v1: api satisfies Api,

    /**
     * Uploads a file of at most 16 MiB directly to the bucket and returns the image once it is `ready`.
     * @throws ProblemError with the reason if the file is rejected, or `storage.…` if the bucket rejects it
     */
    async upload(
      file: Blob,
      metadata: UploadMetadata = {},
      options: UploadOptions = {},
    ): Promise<Image> {
      const type = metadata.type ?? file.type;
      const json = { ...metadata, type, bytes: file.size, method: "form" } as const;
      const { image, upload } = await (await api.uploads.$post({ json })).json();
      await postForm(upload as UploadForm, file, options);
      return options.resolveWhenStored ? image : waitUntilReady(api, image, options.signal);
    },

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

/** Polls the upload until it is ready or rejected, first after 50 ms, then at growing intervals of at most 2 s. */
async function waitUntilReady(api: Api, image: Image, signal?: AbortSignal): Promise<Image> {
  const param = { id: image.id };
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 2_000)) {
    signal?.throwIfAborted();
    const upload = await (await api.uploads[":id"].$get({ param })).json();
    if (upload.state === "ready") return getOwnImage(api, image);
    if (upload.state !== "pending" && upload.state !== "processing") throw rejectedError(upload);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

const getOwnImage = async (api: Api, { id }: Image): Promise<Image> =>
  (await api.me.images[":id"].$get({ param: { id } })).json();

const rejectedError = ({
  state,
  reason,
}: {
  state: string;
  reason?: { code: string; detail: string };
}) =>
  new ProblemError({
    code: reason?.code ?? `image.${state}`,
    status: 422,
    title: "The image was rejected",
    detail: reason?.detail ?? `The image is ${state}`,
  });
