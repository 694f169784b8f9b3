import type { Local } from "./stage.ts";

export type User = Awaited<ReturnType<typeof signIn>>;

/** Signs a user of local.json in; `send` adds the ID token to every request. */
export async function signIn(local: Local, index: number) {
  const user = local.users[index]!;
  const answer = await fetch(local.cognito.endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
    body: JSON.stringify({
      AuthFlow: "USER_PASSWORD_AUTH",
      ClientId: local.cognito.clientId,
      AuthParameters: { USERNAME: user.name, PASSWORD: user.password },
    }),
  });
  if (!answer.ok) throw new Error(`signing in answered ${answer.status}: ${await answer.text()}`);
  const tokens = (await answer.json()) as {
    AuthenticationResult: { IdToken: string; AccessToken: string };
  };
  const idToken = tokens.AuthenticationResult.IdToken;
  return {
    idToken,
    accessToken: tokens.AuthenticationResult.AccessToken,
    send: (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      send(local, method, path, body, { authorization: `Bearer ${idToken}`, ...headers }),
  };
}

/** Sends a request to the API: an object as JSON, text and bytes unchanged. */
export function send(
  local: Local,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const isJson = body !== undefined && !(body instanceof Uint8Array) && typeof body !== "string";
  return fetch(`${local.api}${path}`, {
    method,
    redirect: "manual",
    headers: isJson ? { "content-type": "application/json", ...headers } : headers,
    ...(body === undefined
      ? {}
      : { body: isJson ? JSON.stringify(body) : (body as string | Uint8Array<ArrayBuffer>) }),
  });
}

/** The fields of an image that the tests read. */
export type Image = {
  id: `img_${string}`;
  state: string;
  name?: string;
  type?: string;
  width?: number;
  height?: number;
  rev?: string;
  color?: string;
  thumbhash?: string;
  likes: number;
  reason?: { code: string; detail: string };
};

export type UploadForm = { image: Image; upload: { url: string; fields: Record<string, string> } };

/** Requests an upload form and posts the bytes to S3; `stored` is S3's response. */
export async function upload(
  user: User,
  bytes: Uint8Array<ArrayBuffer>,
  fields: Record<string, unknown> = {},
) {
  const type = (fields.type as string | undefined) ?? "image/jpeg";
  const form = await requestUpload(user, bytes, fields);
  return { ...form, stored: await postForm(form.upload, bytes, type) };
}

export async function requestUpload(
  user: User,
  bytes: Uint8Array,
  fields: Record<string, unknown> = {},
): Promise<UploadForm> {
  const body = { type: "image/jpeg", bytes: bytes.length, ...fields };
  const created = await user.send("POST", "/v1/uploads", body);
  if (created.status !== 201)
    throw new Error(`POST /v1/uploads answered ${created.status}: ${await created.text()}`);
  return (await created.json()) as UploadForm;
}

export function postForm(
  { url, fields }: UploadForm["upload"],
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new Blob([bytes], { type }));
  return fetch(url, { method: "POST", body: form });
}

/** Polls an image until ingest has finished. @throws after `withinMs`. */
export async function waitForIngest(local: Local, id: string, withinMs = 30_000): Promise<Image> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await send(local, "GET", `/v1/images/${id}`);
    const image = (await answer.json()) as Image;
    if (answer.ok && image.state !== "pending" && image.state !== "processing") return image;
    if (Date.now() > deadline)
      throw new Error(`${id} is still ${image.state} after ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Polls until `holds` is true or `ms` have passed; returns the last value. */
export async function pollUntil<T>(
  ms: number,
  read: () => Promise<T>,
  holds: (value: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
