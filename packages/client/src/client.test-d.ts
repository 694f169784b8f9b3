import { expectTypeOf, test } from "vitest";

import type { Query } from "@balde/imaging/request.schema";

import { type Client, type Image, type ProblemError, imageUrl, type srcset } from "./client.ts";

declare const client: Client;

test("a list has typed images and a cursor or null", async () => {
  const page = await (await client.v1.images.$get({ query: { limit: "10", tag: "sea" } })).json();
  expectTypeOf(page.items).toEqualTypeOf<Image[]>();
  expectTypeOf(page.next).toEqualTypeOf<string | null>();
});

test("an image is read by its id and has a type", async () => {
  const image = await (await client.v1.images[":id"].$get({ param: { id: "img_1" } })).json();
  expectTypeOf(image).toEqualTypeOf<Image>();
  expectTypeOf(image.state).toEqualTypeOf<
    "pending" | "processing" | "ready" | "rejected" | "deleted"
  >();
  expectTypeOf(image.id).toEqualTypeOf<`img_${string}`>();
  expectTypeOf(image.width).toEqualTypeOf<number | undefined>();
});

test("a like returns whether the user likes the image, and the count", async () => {
  const click = await (await client.v1.images[":id"].like.$put({ param: { id: "img_1" } })).json();
  expectTypeOf(click).toEqualTypeOf<{ liked: boolean; likes: number }>();
});

test("changes and uploads have types, and no owner", () => {
  type Changes = Parameters<(typeof client.v1.images)[":id"]["$patch"]>[0]["json"];
  expectTypeOf<Changes>().toEqualTypeOf<{
    fileName?: string | null | undefined;
    title?: string | null | undefined;
    alt?: string | null | undefined;
    tags?: string[] | undefined;
    visibility?: "public" | "private" | undefined;
  }>();
  type Create = Parameters<typeof client.v1.uploads.$post>[0]["json"];
  expectTypeOf<Create>().not.toHaveProperty("ownerId");
  expectTypeOf<Create>().toHaveProperty("bytes").toEqualTypeOf<number>();
});

test("signed URLs are requested with delivery parameters and returned as strings", () => {
  expectTypeOf(client.urls).parameter(1).toEqualTypeOf<Asked[]>();
  expectTypeOf(client.urls).returns.resolves.toEqualTypeOf<{ urls: string[]; expiresAt: string }>();
  expectTypeOf<{ visibility: "private" }>().toExtend<Parameters<Client["upload"]>[1]>();
  expectTypeOf<{ visibility: "hidden" }>().not.toExtend<Parameters<Client["upload"]>[1]>();
});

test("a query that the API does not know does not compile", () => {
  type Query = Parameters<typeof client.v1.images.$get>[0]["query"];
  expectTypeOf<Query>().toEqualTypeOf<{ limit?: string; cursor?: string; tag?: string }>();
  expectTypeOf(client.v1).not.toHaveProperty("collections");
});

type Asked = NonNullable<Parameters<typeof imageUrl>[2]>;

test("an image request has the parameters of the delivery schema, and a preset", () => {
  expectTypeOf<Omit<Asked, "preset">>().toEqualTypeOf<ReturnType<typeof Query.parse>>();
  expectTypeOf<Asked["preset"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Parameters<typeof srcset>[2]>().toEqualTypeOf<Asked | undefined>();
  expectTypeOf<Parameters<Client["imageUrl"]>[1]>().toEqualTypeOf<Asked | undefined>();
  expectTypeOf<Parameters<Client["srcset"]>[1]>().toEqualTypeOf<Asked | undefined>();
});

test("values of delivery parameters are typed, and unknown parameters do not compile", () => {
  expectTypeOf<Asked["fit"]>().toEqualTypeOf<
    "cover" | "contain" | "fill" | "inside" | "outside" | undefined
  >();
  expectTypeOf<Asked["f"]>().toEqualTypeOf<
    "auto" | "avif" | "webp" | "jpeg" | "png" | "gif" | "json" | undefined
  >();
  expectTypeOf<Asked["rot"]>().toEqualTypeOf<0 | 90 | 180 | 270 | undefined>();
  expectTypeOf<Asked["q"]>().toEqualTypeOf<number | "auto" | "lossless" | undefined>();
  expectTypeOf<{ w: 640; fit: "cover"; pos: { x: 0.5; y: 0 } }>().toExtend<Asked>();
  expectTypeOf<{ f: "bmp" }>().not.toExtend<Asked>();
  // only the API can sign
  expectTypeOf<Asked>().not.toHaveProperty("sig");
  // @ts-expect-error there is no such word
  void (() => imageUrl("", { id: "img_1" }, { width: 640 }));
});

test("an upload resolves to an image, and an error code can be completed in a switch", () => {
  expectTypeOf<ReturnType<Client["upload"]>>().resolves.toEqualTypeOf<Image>();
  expectTypeOf<"image.not_found">().toExtend<ProblemError["code"]>();
});
