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
  const useXhr = options.onProgress && typeof XMLHttpRequest !== "undefined";
  const response = await (useXhr ? sendWithXhr : sendWithFetch)(form.url, body, file.size, options);
  if (response.status >= 300) throw bucketError(response);
}

type FormResponse = { status: number; text: string };

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
      send(body: FormData): void;
      abort(): void;
    })
  | undefined;

async function sendWithFetch(url: string, body: FormData, size: number, options: SendOptions) {
  options.onProgress?.(0, size);
  const response = await fetch(url, { method: "POST", body, signal: options.signal ?? null });
  if (response.ok) options.onProgress?.(size, size);
  return { status: response.status, text: await response.text() };
}

// fetch does not report how much was sent: https://github.com/whatwg/fetch/issues/607
function sendWithXhr(
  url: string,
  body: FormData,
  size: number,
  { onProgress, signal }: SendOptions,
) {
  return new Promise<FormResponse>((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest!();
    request.open("POST", url);
    request.upload.onprogress = ({ loaded, total }) =>
      onProgress?.(Math.min(size, Math.round((loaded / total) * size)), size);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new TypeError(`The bucket at ${url} cannot be reached`));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

/** The error of S3's XML: `<Error><Code>EntityTooLarge</Code><Message>…` becomes the code `storage.EntityTooLarge`. */
function bucketError({ status, text }: FormResponse) {
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return new ProblemError({
    code: `storage.${element("Code") ?? status}`,
    status,
    title: "The bucket rejected the file",
    detail: element("Message") ?? `The bucket responded with HTTP ${status}`,
    requestId: element("RequestId"),
  });
}
