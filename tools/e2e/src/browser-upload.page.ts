import { type UploadTask, createClient } from "@balde/client";
import { uppyOptions } from "@balde/client/uppy";
import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";

// Runs in the page of browser-upload.test.ts.

type Result = { successful: string[]; failed: [string, string][]; imageIds: string[] };
export type Tools = typeof tools;

let client: ReturnType<typeof createClient>;
let task: UploadTask;
let uppy: ReturnType<typeof createUppy>;
let uploading: Promise<unknown>;
let id = "";

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

async function load(path: string): Promise<File> {
  const bytes = await (await fetch(encodeURI(path))).arrayBuffer();
  return new File([bytes], nameOf(path), {
    type: path.endsWith("png") ? "image/png" : "image/jpeg",
  });
}

function createUppy(method?: "parts") {
  const created = new Uppy();
  return created.use(
    AwsS3,
    uppyOptions(created, client, { retryDelayMs: 10, ...(method && { method }) }),
  );
}

const add = (file: File) => uppy.addFile({ name: file.name, type: file.type, data: file });

function result(): Result {
  const files = uppy.getFiles();
  return {
    successful: files.filter(({ error }) => !error).map(({ name }) => name!),
    failed: files.filter(({ error }) => error).map(({ name, error }) => [name!, error!]),
    imageIds: files.map(({ meta }) => String(meta["imageId"])),
  };
}

const tools = {
  progress: [] as number[],
  connect({ api, idToken }: { api: string; idToken: string }) {
    client = createClient(api, { token: idToken });
  },
  async start(path: string, method: "form" | "parts") {
    const file = await load(path);
    const onProgress = (sent: number) => tools.progress.push(sent);
    const onCreated = (image: { id: string }) => (id = image.id);
    task = client.startUpload(file, {}, { method, onProgress, onCreated, retryDelayMs: 50 });
  },
  done: () => task.done,
  /** Pauses when the bucket has a part, and returns the id of the image. */
  async firstPartIsStored() {
    for (;;) {
      if (id) {
        const { parts = [] } = await (
          await client.v1.uploads[":id"].$get({ param: { id: id as `img_${string}` } })
        ).json();
        if (parts.length > 0) break;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    task.pause();
    return id;
  },
  async resume(image: string, path: string) {
    return client.resumeUpload(image as `img_${string}`, await load(path)).done;
  },
  async uppy(paths: string[], _options: object) {
    uppy = createUppy();
    for (const path of paths) add(await load(path));
    await uppy.upload();
    return result();
  },
  /** With `cancel` the file is cancelled as soon as its first part is stored: a later call may come when it is complete. */
  async uppyStart(path: string, atPart?: "cancel") {
    uppy = createUppy("parts");
    const file = add(await load(path));
    const stored = Promise.withResolvers<string>();
    tools.uppyPartIsStored = () => stored.promise;
    uppy.on("s3-multipart:part-uploaded", () => {
      stored.resolve(String(uppy.getFile(file).meta["imageId"]));
      if (atPart === "cancel") uppy.cancelAll();
    });
    uploading = uppy.upload();
    uploading.catch(() => {});
  },
  /** As Uppy's Golden Retriever does after a reload. */
  async uppyRestore(path: string, uploadId: string) {
    uppy = createUppy("parts");
    const file = add(await load(path));
    uppy.setFileState(file, { s3Multipart: { uploadId, key: file } });
    await uppy.upload();
    return result();
  },
  uppyPartIsStored: async () => "",
  uppyPause: () => uppy.pauseAll(),
  uppyResume: () => uppy.resumeAll(),
  async uppyDone() {
    await uploading;
    return result();
  },
};

Object.assign(globalThis, { tools });
