import type { App } from "@balde/api/app";
import type { ClientResponse, hc } from "hono/client";

/** The routes of the API. TypeScript computes this type once, here, and not in every file that uses the client: https://hono.dev/docs/guides/rpc#compile-your-code-before-using-it-recommended */
export type Api = ReturnType<typeof hc<App>>["v1"];

export type ResponseBody<Call extends (...input: never[]) => Promise<unknown>> =
  Awaited<ReturnType<Call>> extends ClientResponse<infer Body> ? Body : never;

export type CreateUpload = Parameters<Api["uploads"]["$post"]>[0]["json"];
type CreatedUpload = ResponseBody<Api["uploads"]["$post"]>;

export type Image = CreatedUpload["image"];

/** The state of an upload, and what the bucket has of it. */
export type UploadState = ResponseBody<Api["uploads"][":id"]["$get"]>;
