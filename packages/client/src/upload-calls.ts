import type { Api, CreateUpload, Image, UploadState } from "./api.ts";
import type { UploadForm } from "./send-to-bucket.ts";

// The API's calls of an upload, each without a retry of its own.

export type Parts = { partBytes: number; partCount: number };
/** An upload that was begun: how its bytes are sent. */
export type Begun = { image: Image; form?: UploadForm; parts?: Parts };

export type UploadCalls = ReturnType<typeof createUploadCalls>;

/** Returns the calls of uploads of this API. */
export function createUploadCalls({ uploads, images, me }: Api) {
  const one = uploads[":id"];
  const at = (id: Image["id"]) => ({ param: { id } });
  const within = (signal?: AbortSignal) => (signal ? { init: { signal } } : {});
  return {
    /** A repeated call with the same key creates nothing more. */
    async create(json: CreateUpload, key: string, signal?: AbortSignal): Promise<Begun> {
      const headers = { "idempotency-key": key };
      const response = await uploads.$post({ json }, { headers, ...within(signal) });
      const { image, upload } = await response.json();
      return upload.method === "parts" ? { image, parts: upload } : { image, form: upload };
    },
    state: async (id: Image["id"], signal?: AbortSignal): Promise<UploadState> =>
      (await one.$get(at(id), within(signal))).json(),
    renewForm: async (id: Image["id"], signal?: AbortSignal): Promise<UploadForm> =>
      (await one.form.$post(at(id), within(signal))).json(),
    sign: async (id: Image["id"], numbers: number[], signal?: AbortSignal) =>
      (await one.parts.$post({ ...at(id), json: { numbers } }, within(signal))).json(),
    complete: async (id: Image["id"], signal?: AbortSignal): Promise<UploadState> =>
      (await one.complete.$post(at(id), within(signal))).json(),
    abort: async (id: Image["id"]): Promise<void> => void (await one.$delete(at(id))),
    /** Deletes an image in any state. */
    deleteImage: async (id: Image["id"]): Promise<void> =>
      void (await images[":id"].$delete(at(id))),
    image: async (id: Image["id"], signal?: AbortSignal): Promise<Image> =>
      (await me.images[":id"].$get(at(id), within(signal))).json(),
  };
}
