import type { Image } from "./api.ts";
import type { Client, UploadMetadata } from "./client.ts";
import { type Attempt, withRetries } from "./retry.ts";
import { type Begun, createUploadCalls } from "./upload-calls.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

// For Uppy 6.3 and its plugin AwsS3. The plugin asks for the address of each request to S3. Only a form and parts go there: the
// API makes the other requests itself, and the address is then a data: URL with what S3 would have answered
// (docs/adr/0030-uploads-in-parts.md).

type Data = { size: number | null };

/** What is used of Uppy's file. */
type File = {
  id: string;
  name?: string | undefined;
  type?: string | undefined;
  data?: Data | undefined;
  meta: Record<string, unknown>;
};

/** What is used of Uppy. */
type UppyLike<OneFile extends File> = {
  getFile(id: string): OneFile | undefined;
  setFileMeta(id: string, meta: Record<string, unknown>): void;
  addPostProcessor(work: (ids: string[]) => Promise<unknown>): void;
  on(
    event: "file-removed" | "upload-success",
    listener: (file: NoInfer<OneFile> | undefined) => void,
  ): unknown;
  emit(event: "upload-error", file: NoInfer<OneFile>, error: Error): unknown;
};

/** A request of the plugin. */
type SignedRequest = {
  method: "GET" | "PUT" | "POST" | "DELETE";
  key: string;
  uploadId?: string;
  partNumber?: number;
};

type Address = { url: string; fields?: Record<string, string> };

export type UppyOptions<OneFile> = {
  /** The metadata of a file's image: name, title, alternative text, tags, visibility. */
  metadata?: (file: OneFile) => UploadMetadata;
  /** `parts` sends files of any size in parts, which alone can be paused without starting again. Default: parts above 16 MiB. */
  method?: "parts";
  /** As in `client.upload`. */
  retryDelayMs?: number;
};

/** The size of every part, as the API makes them. */
const PART_BYTES = 8 * 1024 * 1024;
/** The largest form that the API gives. */
const MAX_FORM_BYTES = 16 * 1024 * 1024;

/**
 * Returns the options of Uppy's plugin AwsS3 that upload to Balde: `uppy.use(AwsS3, uppyOptions(uppy, client))`. A file is
 * complete when its image is `ready`, and fails with the reason if it is rejected. `file.meta.imageId` is the id of its image.
 * A file that is removed before it was sent has no image any more.
 */
export function uppyOptions<OneFile extends File>(
  uppy: UppyLike<OneFile>,
  client: Pick<Client, "v1">,
  { metadata, method, retryDelayMs }: UppyOptions<OneFile> = {},
) {
  const calls = createUploadCalls(client.v1);
  const begunOf = new Map<string, { key: string; bytes: number; created?: Promise<Begun> }>();
  const sent = new Set<string>();
  const addresses = new Map<string, { url: string; expiresAt: number }>();
  const { signal } = new AbortController();
  const retry: Attempt = (work) =>
    withRetries(() => work(signal), retryDelayMs === undefined ? {} : { retryDelayMs });
  const imageOf = (file: OneFile | undefined) => file?.meta["imageId"] as Image["id"] | undefined;

  const isInParts = ({ data: content }: { data?: Data | undefined }) =>
    method === "parts" || (content?.size ?? 0) > MAX_FORM_BYTES;

  /** Begins the upload of a file, once: a file that is resumed or tried again keeps its image. */
  async function begin(file: OneFile): Promise<Begun> {
    const bytes = file.data?.size ?? 0;
    let begun = begunOf.get(file.id);
    // an editor may have changed the file since
    if (!begun || begun.bytes !== bytes) begun = { key: crypto.randomUUID(), bytes };
    begunOf.set(file.id, begun);
    const { key } = begun;
    const { type = file.type ?? "", ...about } = metadata?.(file) ?? {};
    const { name: fileName } = file;
    const json = {
      ...(fileName && { fileName }),
      ...about,
      type,
      bytes,
      method: isInParts(file) ? "parts" : "form",
    } as const;
    begun.created ??= retry(() => calls.create(json, key));
    try {
      const created = await begun.created;
      uppy.setFileMeta(file.id, { imageId: created.image.id });
      return created;
    } catch (error) {
      begunOf.delete(file.id);
      throw error;
    }
  }

  async function signForm(file: OneFile): Promise<Address> {
    const isRepeated = begunOf.has(file.id);
    const { image, form } = await begin(file);
    const { url, fields } = isRepeated ? await retry(() => calls.renewForm(image.id)) : form!;
    return { url, fields };
  }

  async function signPart(id: Image["id"], number: number): Promise<Address> {
    const known = addresses.get(`${id} ${number}`);
    addresses.delete(`${id} ${number}`);
    if (known && known.expiresAt - Date.now() > MARGIN_MS) return { url: known.url };
    const { partCount = number } = await retry(() => calls.state(id));
    const numbers = [number, number + 1, number + 2, number + 3].filter((one) => one <= partCount);
    const { parts, expiresAt } = await retry(() => calls.sign(id, numbers));
    for (const part of parts.slice(1))
      addresses.set(`${id} ${part.number}`, { url: part.url, expiresAt: Date.parse(expiresAt) });
    return { url: parts[0]!.url };
  }

  async function signRequest(request: SignedRequest): Promise<Address> {
    const { method: verb, key, uploadId, partNumber } = request;
    const id = uploadId as Image["id"] | undefined;
    const file = uppy.getFile(key);
    // an upload that Uppy has restored after a reload
    if (id && file && !imageOf(file)) uppy.setFileMeta(key, { imageId: id });
    if (id && partNumber !== undefined) return signPart(id, partNumber);
    if (id && verb === "GET") return listParts(id);
    if (id && verb === "POST") {
      await retry(() => calls.complete(id));
      return xml("CompleteMultipartUploadResult", [
        ["Location", client.v1.me.images[":id"].$url({ param: { id } }).href],
        ["Key", id],
      ]);
    }
    if (id) {
      await retry(() => calls.abort(id)).catch(() => {});
      return xml("AbortMultipartUploadResult", []);
    }
    if (!file) throw new Error("The file was removed");
    if (verb === "PUT") return signForm(file);
    const { image } = await begin(file);
    return xml("InitiateMultipartUploadResult", [["UploadId", image.id]]);
  }

  async function listParts(id: Image["id"]): Promise<Address> {
    const { state, parts = [], bytes, received } = await retry(() => calls.state(id));
    const all = Array.from({ length: Math.ceil(bytes / PART_BYTES) }, (_, index) => ({
      number: index + 1,
      eTag: "received",
    }));
    const isReceived = received || state !== "pending";
    const listed = (isReceived ? all : parts).map(
      ({ number, eTag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${eTag}</ETag></Part>`,
    );
    return data(`<ListPartsResult>${listed.join("")}</ListPartsResult>`);
  }

  uppy.on("upload-success", (file) => file && sent.add(file.id));
  uppy.on("file-removed", (file) => {
    const id = imageOf(file);
    if (!file || !id || sent.has(file.id)) return;
    begunOf.delete(file.id);
    void retry(() => calls.abort(id)).catch(() => {});
  });
  uppy.addPostProcessor((ids) =>
    Promise.all(
      ids.map(async (fileId) => {
        const file = uppy.getFile(fileId);
        const id = imageOf(file);
        if (!file || !id || !sent.has(fileId)) return;
        try {
          await waitUntilReady(calls, id, retry);
        } catch (error) {
          uppy.emit("upload-error", file, error as Error);
          // tried again, it is another image
          begunOf.delete(fileId);
          sent.delete(fileId);
        }
      }),
    ),
  );

  return {
    signRequest,
    shouldUseMultipart: isInParts,
    getChunkSize: () => PART_BYTES,
    // the plugin passes a request's key on, and not its file
    generateObjectKey: (file: { id: string }) => file.id,
    limit: 3,
  };
}

/** An address that ends so soon is not used. */
const MARGIN_MS = 60_000;

const xml = (root: string, elements: [name: string, text: string][]): Address =>
  data(
    `<${root}>${elements.map(([name, text]) => `<${name}>${text}</${name}>`).join("")}</${root}>`,
  );

const data = (text: string): Address => ({
  url: `data:application/xml,${encodeURIComponent(text)}`,
});
