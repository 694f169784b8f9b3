import { ProblemError } from "./problem.ts";

/** What `POST /v1/uploads` answers for the bucket. */
export type Form = { url: string; fields: Record<string, string> };

export type Sending = {
  /** Bytes that have left, of all. Without XMLHttpRequest (in Node) only at the start and at the end. */
  onProgress?: (sent: number, all: number) => void;
  signal?: AbortSignal;
};

/** Puts a file into the bucket, past the API: S3 checks the policy of the form. */
export async function send(form: Form, file: Blob, sending: Sending = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
  // S3 reads no field after the file: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
  body.append("file", file);
  const watch = sending.onProgress && typeof XMLHttpRequest !== "undefined";
  const answer = await (watch ? sendWatched : sendUnwatched)(form.url, body, file.size, sending);
  if (answer.status >= 300) throw refusal(answer);
}

type Answer = { status: number; text: string };

// what a browser has beside Node's fetch, as far as it is used here
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

async function sendUnwatched(url: string, body: FormData, all: number, sending: Sending) {
  sending.onProgress?.(0, all);
  const answer = await fetch(url, { method: "POST", body, signal: sending.signal ?? null });
  if (answer.ok) sending.onProgress?.(all, all);
  return { status: answer.status, text: await answer.text() };
}

// fetch cannot tell how much has been sent: https://github.com/whatwg/fetch/issues/607
function sendWatched(url: string, body: FormData, all: number, { onProgress, signal }: Sending) {
  return new Promise<Answer>((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest!();
    request.open("POST", url);
    request.upload.onprogress = ({ loaded, total }) =>
      onProgress?.(Math.min(all, Math.round((loaded / total) * all)), all);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new TypeError("The bucket cannot be reached"));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

/** S3 speaks XML: `<Error><Code>EntityTooLarge</Code><Message>…` becomes `storage.EntityTooLarge`. */
function refusal({ status, text }: Answer) {
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return new ProblemError({
    code: `storage.${element("Code") ?? status}`,
    status,
    title: "The bucket refused the picture",
    detail: element("Message") ?? `HTTP ${status}`,
    requestId: element("RequestId"),
  });
}
