import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { type LambdaEvent, handle } from "hono/aws-lambda";
import { Resource } from "sst";

// The peer of the goals of cold start: six routes of ApiHandler, built as the READMEs of the usual libraries suggest. With all
// routes it would be larger.

const links = Resource as unknown as { Images: { name: string }; Data: { name: string } };
const s3 = new S3Client({});
const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));

const Id = z.string().regex(/^img_[0-9A-HJKMNP-TV-Z]{26}$/);
const Image = z
  .object({
    id: Id,
    ownerId: z.string(),
    state: z.enum(["pending", "processing", "ready", "rejected", "deleted"]),
    title: z.string().max(200).optional(),
    alt: z.string().max(1000).optional(),
    tags: z.array(z.string()).max(20),
    likes: z.int().nonnegative(),
    version: z.int().positive(),
  })
  .openapi("Image");
const Page = z.object({ items: z.array(Image), next: z.string().nullable() }).openapi("Page");
const Problem = z.object({ code: z.string(), status: z.int() }).openapi("Problem");
const Create = z.object({
  type: z.string(),
  bytes: z.int().positive(),
  title: z.string().optional(),
});
const params = z.object({ id: Id });

const content = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
const json = <Schema extends z.ZodType>(schema: Schema) => ({
  body: { content: { "application/json": { schema } } },
});

type Bindings = {
  event: LambdaEvent & { requestContext: { authorizer?: { claims?: { sub: string } } } };
};
const app = new OpenAPIHono<{ Bindings: Bindings }>();
const sub = (env: Bindings) => env.event.requestContext.authorizer?.claims?.sub ?? "";
const key = (id: string) => ({
  TableName: links.Data.name,
  Key: { pk: `IMAGE#${id}`, sk: "META" },
});

app.openapi(
  createRoute({
    method: "get",
    path: "/v1/me",
    responses: { 200: content(z.object({ id: z.string() }), "Me") },
  }),
  (c) => c.json({ id: sub(c.env) }, 200),
);
app.openapi(
  createRoute({
    method: "get",
    path: "/v1/images",
    request: { query: z.object({ limit: z.coerce.number().int().max(100).default(24) }) },
    responses: { 200: content(Page, "Images") },
  }),
  async (c) => {
    const { Items = [] } = await table.send(
      new QueryCommand({
        TableName: links.Data.name,
        IndexName: "gsi2",
        Limit: c.req.valid("query").limit,
      }),
    );
    return c.json({ items: z.array(Image).parse(Items), next: null }, 200);
  },
);
app.openapi(
  createRoute({
    method: "get",
    path: "/v1/images/{id}",
    request: { params },
    responses: { 200: content(Image, "An image"), 404: content(Problem, "None") },
  }),
  async (c) => {
    const { Item } = await table.send(new GetCommand(key(c.req.valid("param").id)));
    if (!Item) return c.json({ code: "image.not_found", status: 404 }, 404);
    return c.json(Image.parse(Item), 200);
  },
);
app.openapi(
  createRoute({
    method: "patch",
    path: "/v1/images/{id}",
    request: { params, ...json(Image.pick({ title: true, alt: true, tags: true }).partial()) },
    responses: { 200: content(Image.partial(), "The image") },
  }),
  async (c) => {
    const Item = { ...key(c.req.valid("param").id).Key, ...c.req.valid("json") };
    await table.send(new PutCommand({ TableName: links.Data.name, Item }));
    return c.json(c.req.valid("json"), 200);
  },
);
app.openapi(
  createRoute({
    method: "post",
    path: "/v1/uploads",
    request: json(Create),
    responses: { 201: content(z.object({ url: z.string() }), "A form") },
  }),
  async (c) => {
    const { bytes } = c.req.valid("json");
    const Conditions = [
      ["content-length-range", 1, bytes] as ["content-length-range", number, number],
    ];
    const form = await createPresignedPost(s3, {
      Bucket: links.Images.name,
      Key: "uploads/1",
      Conditions,
    });
    return c.json(form, 201);
  },
);
app.openapi(
  createRoute({
    method: "put",
    path: "/v1/images/{id}/like",
    request: { params },
    responses: { 200: content(z.object({ liked: z.boolean() }), "Liked") },
  }),
  async (c) => {
    const Item = { pk: `LIKE#${c.req.valid("param").id}`, sk: `USER#${sub(c.env)}` };
    await table.send(new PutCommand({ TableName: links.Data.name, Item }));
    return c.json({ liked: true }, 200);
  },
);

export const handler = handle(app);
