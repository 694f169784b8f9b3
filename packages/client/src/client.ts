import type { App } from "@balde/api/app";
import { type ClientResponse, hc } from "hono/client";

import { type Asked, type Shown, imageUrl, srcset } from "./image-url.ts";
import { ProblemError, problemFetch } from "./problem.ts";
import { type Sending, send } from "./upload.ts";

export { imageUrl, srcset } from "./image-url.ts";
export { type Code, ProblemError } from "./problem.ts";
export { type Tokens, signIn } from "./sign-in.ts";

export type Options = {
  /** Cognito's ID token, or what gets a fresh one for each request. Reading public things needs none. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  fetch?: typeof globalThis.fetch;
};

// computed once, here, and not in every file that uses the client: https://hono.dev/docs/guides/rpc#compile-your-code-before-using-it-recommended
type Api = ReturnType<typeof hc<App>>["v1"];
type CreateUpload = Parameters<Api["uploads"]["$post"]>[0]["json"];
type Created = Answer<Api["uploads"]["$post"]>;

export type Image = Created["image"];
export type Answer<Call extends (...input: never[]) => Promise<unknown>> =
  Awaited<ReturnType<Call>> extends ClientResponse<infer Body> ? Body : never;

/** What is said about a picture when it is uploaded. `type` is the Blob's own where it has one. */
export type About = Omit<CreateUpload, "type" | "bytes"> & { type?: string };
export type Uploading = Sending & {
  /** Resolve as soon as the bucket has the picture, which is then still `pending`. */
  isEnoughWhenStored?: boolean;
};

/** `url`s in the order of what was asked for, and the moment at which all of them end. */
export type Signed = Answer<Api["images"][":id"]["urls"]["$post"]>;

export type Client = ReturnType<typeof createClient>;

/** `baseUrl` ends with the stage, without a slash: the `api` of `.balde/local.json`. */
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
    /** Every route with its types: `client.v1.images[":id"].$get({ param: { id } })`. Failures reject as ProblemError. */
    v1: api satisfies Api,

    /** Sends a picture past the API into the bucket and resolves when it can be shown; rejects when it is no picture. */
    async upload(file: Blob, about: About = {}, uploading: Uploading = {}): Promise<Image> {
      const type = about.type ?? file.type;
      const answer = await api.uploads.$post({ json: { ...about, type, bytes: file.size } });
      const { image, upload } = await answer.json();
      await send(upload, file, uploading);
      return uploading.isEnoughWhenStored ? image : settled(api, image, uploading.signal);
    },

    /**
     * Addresses of your own image for whoever has them, until they end: of a private one the only ones. In the order of
     * the requests, exactly as asked.
     */
    async urls(
      { id }: Pick<Image, "id">,
      requests: Asked[],
      { seconds }: { seconds?: number } = {},
    ): Promise<Signed> {
      const json = { requests, ...(seconds !== undefined && { seconds }) };
      return (await api.images[":id"].urls.$post({ param: { id }, json })).json();
    },

    imageUrl: (image: Shown, asked?: Asked) => imageUrl(baseUrl, image, asked),
    srcset: (image: Shown, asked?: Asked) => srcset(baseUrl, image, asked),
  };
}

/** Asks until ingest has decided: after 50 ms, then ever less often, for as long as the API keeps the upload. */
async function settled(api: Api, image: Image, signal?: AbortSignal): Promise<Image> {
  const param = { id: image.id };
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 2_000)) {
    signal?.throwIfAborted();
    const upload = await (await api.uploads[":id"].$get({ param })).json();
    if (upload.state === "ready") return mine(api, image);
    if (upload.state !== "pending" && upload.state !== "processing") throw rejected(upload);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

const mine = async (api: Api, { id }: Image): Promise<Image> =>
  (await api.me.images[":id"].$get({ param: { id } })).json();

const rejected = ({
  state,
  reason,
}: {
  state: string;
  reason?: { code: string; detail: string };
}) =>
  new ProblemError({
    code: reason?.code ?? `image.${state}`,
    status: 422,
    title: "Not accepted",
    detail: reason?.detail ?? `The picture is ${state}`,
  });
