import { ProblemError } from "./problem.ts";

/** The form for the bucket, as `POST /v1/uploads` returns it. */
export type UploadForm = { url: string; fields: Record<string, string> };

export type SendOptions = {
  /** Called with the bytes of the file that were sent, and the size of the file. In Node, which has no XMLHttpRequest, only at the start and at the end. */
  onProgress?: (sent: number, all: number) => void;
  /** Aborts the upload; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
};

/**
 * Posts a file to the bucket with the fields of the form, whose policy S3 checks. Resolves when the bucket has stored it.
 * @throws ProblemError with the code `storage.…` if the bucket rejects the file
 * @throws TypeError if the bucket cannot be reached, or the signal's reason if it aborts
 */
export async function postForm(
  form: UploadForm,
  file: Blob,
  options: SendOptions = {},
): Promise<void> {
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
  // S3 reads no field after the file: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
  body.append("file", file);
  await send("POST", form.url, body, file.size, options);
}

/** Puts a part of a file to its signed URL. Throws as `postForm`. */
export async function putPart(url: string, part: Blob, options: SendOptions = {}): Promise<void> {
  await send("PUT", url, part, part.size, options);
}

type Response = { status: number; text: string };

async function send(
  method: string,
  url: string,
  body: FormData | Blob,
  size: number,
  options: SendOptions,
) {
  options.signal?.throwIfAborted();
  const useXhr = typeof XMLHttpRequest !== "undefined";
  const response = await (useXhr ? sendWithXhr : sendWithFetch)(method, url, body, size, options);
  if (response.status >= 300) throw bucketError(response);
}

// the parts of the browser's XMLHttpRequest that are used here; Node has no types for it
declare const XMLHttpRequest:
  | (new () => {
      upload: { onprogress: (event: { loaded: number; total: number }) => void };
      onload: () => void;
      onerror: () => void;
      onabort: () => void;
      readonly status: number;
      readonly responseText: string;
      open(method: string, url: string): void;
      send(body: FormData | Blob): void;
      abort(): void;
    })
  | undefined;

async function sendWithFetch(
  method: string,
  url: string,
  body: FormData | Blob,
  size: number,
  { onProgress, signal }: SendOptions,
): Promise<Response> {
  onProgress?.(0, size);
  const response = await fetch(url, { method, body, signal: signal ?? null });
  if (response.ok) onProgress?.(size, size);
  return { status: response.status, text: await response.text() };
}

/** How long a request may make no progress: a mobile browser may keep a connection that is dead for minutes. */
const STALL_MS = 30_000;

// fetch does not report how much was sent: https://github.com/whatwg/fetch/issues/607
function sendWithXhr(
  method: string,
  url: string,
  body: FormData | Blob,
  size: number,
  { onProgress, signal }: SendOptions,
) {
  return new Promise<Response>((resolve, reject) => {
    const request = new XMLHttpRequest!();
    const stalled = () => {
      end(() => reject(new TypeError(`The bucket at ${url} made no progress for 30 seconds`)));
      request.abort();
    };
    let timer = setTimeout(stalled, STALL_MS);
    const aborted = () => request.abort();
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      settle();
    };
    request.open(method, url);
    request.upload.onprogress = ({ loaded, total }) => {
      clearTimeout(timer);
      timer = setTimeout(stalled, STALL_MS);
      onProgress?.(Math.min(size, Math.round((loaded / total) * size)), size);
    };
    request.onload = () =>
      end(() => resolve({ status: request.status, text: request.responseText }));
    request.onerror = () =>
      end(() => reject(new TypeError(`The bucket at ${url} cannot be reached`)));
    request.onabort = () => end(() => reject(signal?.reason));
    signal?.addEventListener("abort", aborted, { once: true });
    request.send(body);
  });
}

/** The error of S3's XML: `<Error><Code>EntityTooLarge</Code><Message>…` becomes the code `storage.EntityTooLarge`. */
function bucketError({ status, text }: Response) {
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return new ProblemError({
    code: `storage.${element("Code") ?? status}`,
    status,
    title: "The bucket rejected the file",
    detail: element("Message") ?? `The bucket responded with HTTP ${status}`,
    requestId: element("RequestId"),
  });
}

/** Whether the bucket refused an address because its time has ended, or that of the credentials that signed it. */
export const isExpiry = (error: unknown): boolean =>
  error instanceof ProblemError &&
  (error.code === "storage.ExpiredToken" ||
    (error.code === "storage.AccessDenied" && /expired/i.test(error.message)));
