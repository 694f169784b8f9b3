import { expectTypeOf, test } from "vitest";

import type { Client, Image, ProblemError, imageUrl } from "./client.ts";

declare const client: Client;

test("a list has typed pictures and a cursor or null", async () => {
  const page = await (await client.v1.images.$get({ query: { limit: "10", tag: "sea" } })).json();
  expectTypeOf(page.items).toEqualTypeOf<Image[]>();
  expectTypeOf(page.next).toEqualTypeOf<string | null>();
});

test("a picture is found by its id and says what it is", async () => {
  const image = await (await client.v1.images[":id"].$get({ param: { id: "img_1" } })).json();
  expectTypeOf(image).toEqualTypeOf<Image>();
  expectTypeOf(image.state).toEqualTypeOf<
    "pending" | "processing" | "ready" | "rejected" | "deleted"
  >();
  expectTypeOf(image.id).toEqualTypeOf<`img_${string}`>();
  expectTypeOf(image.width).toEqualTypeOf<number | undefined>();
});

test("a like answers whether and how many", async () => {
  const click = await (await client.v1.images[":id"].like.$put({ param: { id: "img_1" } })).json();
  expectTypeOf(click).toEqualTypeOf<{ liked: boolean; likes: number }>();
});

test("what may be changed is known, and nobody says who he is", () => {
  type Changes = Parameters<(typeof client.v1.images)[":id"]["$patch"]>[0]["json"];
  expectTypeOf<Changes>().toEqualTypeOf<{
    title?: string | null | undefined;
    alt?: string | null | undefined;
    tags?: string[] | undefined;
  }>();
  type Create = Parameters<typeof client.v1.uploads.$post>[0]["json"];
  expectTypeOf<Create>().not.toHaveProperty("ownerId");
  expectTypeOf<Create>().toHaveProperty("bytes").toEqualTypeOf<number>();
});

test("a query that the API does not know does not compile", () => {
  type Query = Parameters<typeof client.v1.images.$get>[0]["query"];
  expectTypeOf<Query>().toEqualTypeOf<{ limit?: string; cursor?: string; tag?: string }>();
  expectTypeOf(client.v1).not.toHaveProperty("collections");
});

test("the words of the delivery grammar are typed", () => {
  type Asked = NonNullable<Parameters<typeof imageUrl>[2]>;
  expectTypeOf<{ w: 640; fit: "cover"; f: "avif"; dpr: 2; q: "auto" }>().toExtend<Asked>();
  expectTypeOf<{ f: "bmp" }>().not.toExtend<Asked>();
});

test("an upload resolves to a picture, a failure has a code that a switch can complete", () => {
  expectTypeOf<ReturnType<Client["upload"]>>().resolves.toEqualTypeOf<Image>();
  expectTypeOf<"image.not_found">().toExtend<ProblemError["code"]>();
});
