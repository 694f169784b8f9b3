import * as Image from "@balde/core/image.schema";
import * as Like from "@balde/core/like.schema";
import * as Upload from "@balde/core/upload.schema";
import * as Grid from "@balde/imaging/grid.schema";
import type * as z from "zod/mini";

import {
  Addresses,
  Deleted,
  Health,
  Person,
  Redriven,
  Sent,
  State,
  Waiting,
} from "./response-schemas.ts";
import type { Header } from "./headers.ts";
import {
  type Parameter,
  conditional,
  delivery,
  idempotencyKey,
  name,
  pictureType,
  ranged,
} from "./parameters.ts";
import type { Failure } from "./problems.ts";

export type Answer = {
  says: string;
  json?: z.ZodMiniType;
  /** Bytes of one of these types. */
  bytes?: readonly string[];
  headers?: readonly Header[];
};

/** What the routes' own code does not say about them. What they take is read from their doors. */
export type Operation = {
  id: string;
  tag: "Pictures" | "Images" | "Uploads" | "Me" | "Partners" | "Operators" | "Service";
  summary: string;
  says?: string;
  /** Beside those that the doors tell. */
  parameters?: readonly Parameter[];
  /** A body that is a picture, of these types. */
  picture?: readonly string[];
  answers: Record<number, Answer>;
  fails?: readonly Failure[];
};

const delivered = ["image/avif", "image/webp", "image/jpeg", "image/png", "image/gif"] as const;
const pictureHeaders = ["ETag", "Cache-Control", "Content-Disposition", "Server-Timing"] as const;

const picture = (id: string, more: string): Operation => ({
  id,
  tag: "Pictures",
  summary: "A picture in the size and format that is asked for",
  says: `${more} A private picture needs a signature, which \`POST /v1/images/{id}/urls\` gives its owner; a signed address is good exactly as it is, its keys in any order. The keys of the query may come in any order, each once. What an unknown key, a doubled key or a bad value is answered with names each of them and what is allowed. Equal wishes are one stored picture, however they are spelled.\n\nOf each picture anybody may have 64 different ones made, as he likes. After that, and without a signature, \`w\` and \`h\` times \`dpr\` are rounded up to ${Grid.edges.slice(0, -1).join(", ")} or ${Grid.edges.at(-1)} pixels (down to ${Grid.edges.at(-1)} from above), \`q\` is \`auto\`, and keys that would show another picture than that are 400. \`Content-Location\` then says which picture is shown. What has been made stays exact; presets, sizes of the grid and signed addresses are always possible and count as none.`,
  parameters: [...delivery, ...conditional, ...ranged],
  answers: {
    200: {
      says: "The picture.",
      bytes: delivered,
      headers: [...pictureHeaders, "Content-Location", "Vary"],
    },
    206: {
      says: "The part that was asked for.",
      bytes: delivered,
      headers: ["ETag", "Content-Range"],
    },
    304: { says: "The picture that the client has. No pixel was touched.", headers: ["ETag"] },
  },
  fails: [
    "delivery.invalid_query",
    "delivery.budget_spent",
    "delivery.signature_wrong",
    "delivery.signature_expired",
    "image.not_found",
    "image.not_ready",
    "image.no_such_revision",
    "delivery.no_such_preset",
    "delivery.too_large",
    "delivery.bad_range",
    "image.too_complex",
    "delivery.busy",
  ],
});

const head = (operation: Operation): Operation => ({
  ...operation,
  id: operation.id.replace("get", "head"),
  summary: `${operation.summary}: its headers`,
  answers: {
    200: { says: "The headers of the picture.", headers: operation.answers[200]!.headers! },
    304: operation.answers[304]!,
  },
});

const newest = picture(
  "getPicture",
  "Without a revision: the picture as it is now, to be asked for again after a minute.",
);
const revision = picture(
  "getPictureOfRevision",
  "With a revision the answer never changes and may be kept for ever. In the revision's place a preset's name may stand: the picture as it is now, as the preset says.",
);
const preset = picture(
  "getPictureByPreset",
  "A preset is a query with a name; what the query says besides comes before what the preset says.",
);

const listImages: Operation = {
  id: "listImages",
  tag: "Images",
  summary: "Public images, newest first",
  answers: { 200: { says: "A page.", json: Image.Page, headers: ["Link", "Cache-Control"] } },
  fails: ["cursor.invalid"],
};

const getImage: Operation = {
  id: "getImage",
  tag: "Images",
  summary: "One image",
  parameters: conditional,
  answers: {
    200: { says: "The image.", json: Image.Info, headers: ["ETag", "Cache-Control"] },
    304: { says: "As it was when the client read it.", headers: ["ETag"] },
  },
  fails: ["image.not_found"],
};

const metered = (operation: Operation, id: string): Operation => ({
  ...operation,
  id,
  tag: "Partners",
  says: "The same as under `/v1`, counted for the API key that is shown.",
});

const idempotency: readonly Failure[] = [
  "idempotency.invalid_key",
  "idempotency.in_progress",
  "idempotency.other_request",
];

/** By method and path, as the gateway knows them. */
export const operations: Record<string, Operation> = {
  "GET /health": {
    id: "getHealth",
    tag: "Service",
    summary: "Whether the gateway answers",
    says: "No function runs.",
    answers: { 200: { says: "It does.", json: Health, headers: ["Cache-Control"] } },
  },
  "GET /openapi.json": {
    id: "getOpenApi",
    tag: "Service",
    summary: "This document",
    parameters: conditional,
    answers: {
      200: {
        says: "OpenAPI 3.1.",
        bytes: ["application/json"],
        headers: ["ETag", "Cache-Control"],
      },
      304: { says: "As it was when the client read it.", headers: ["ETag"] },
    },
  },
  "GET /docs": {
    id: "getDocs",
    tag: "Service",
    summary: "This document as a page",
    parameters: conditional,
    answers: {
      200: { says: "The page.", bytes: ["text/html"], headers: ["ETag", "Cache-Control"] },
      304: { says: "As it was when the client read it.", headers: ["ETag"] },
    },
  },

  "GET /i/{id}": newest,
  "HEAD /i/{id}": head(newest),
  "GET /i/{id}/{rev}": revision,
  "HEAD /i/{id}/{rev}": head(revision),
  "GET /i/{id}/{rev}/{preset}": preset,
  "HEAD /i/{id}/{rev}/{preset}": head(preset),
  "GET /s3": {
    id: "getPublishedPicture",
    tag: "Pictures",
    summary: "A picture by its name, whole",
    says: "The gateway fetches it from the bucket itself; no function runs. It carries no metadata.",
    parameters: [name, ...conditional, ...ranged],
    answers: {
      200: {
        says: "The picture.",
        bytes: ["image/jpeg", "image/png", "image/webp", "image/gif"],
        headers: ["ETag", "Cache-Control"],
      },
      206: {
        says: "The part that was asked for.",
        bytes: ["image/jpeg", "image/png", "image/webp", "image/gif"],
        headers: ["ETag", "Content-Range"],
      },
      304: { says: "The picture that the client has.", headers: ["ETag"] },
    },
    fails: [
      "gateway.bad_request_parameters",
      "picture.unreadable",
      "picture.missing",
      "range.unsatisfiable",
      "store.unavailable",
    ],
  },
  "PUT /s3": {
    id: "putNamedPicture",
    tag: "Uploads",
    summary: "Stores a picture under a name, in one request of at most 10 MB",
    says: "The gateway writes it into the bucket itself; no function runs. Nobody has looked at it yet: whether it became `ready` or was `rejected`, because it is no picture or its name is taken, is in `GET /v1/me/images` a moment later.",
    parameters: [name, pictureType],
    picture: Upload.CONTENT_TYPES,
    answers: {
      202: { says: "Stored, and waiting to be looked at.", json: Waiting, headers: ["Location"] },
    },
    fails: [
      "gateway.bad_request_parameters",
      "upload.refused",
      "upload.waiting",
      "upload.unsupported_type",
      "store.unavailable",
    ],
  },

  "GET /v1/images": listImages,
  "POST /v1/images": {
    id: "createImage",
    tag: "Uploads",
    summary: "Uploads a picture of at most 4.5 MB as the body of one request",
    says: "For larger ones: `POST /v1/uploads`.",
    parameters: [idempotencyKey],
    picture: Upload.CONTENT_TYPES,
    answers: {
      202: {
        says: "Stored; the image is `pending` until ingest has looked at it.",
        json: Image.Info,
        headers: ["Location", "Idempotency-Replayed"],
      },
    },
    fails: [
      ...idempotency,
      "actor.unauthenticated",
      "body.empty",
      "body.not_picture",
      "body.too_large",
      "upload.unsupported_type",
      "name.taken",
    ],
  },
  "GET /v1/images/{id}": getImage,
  "PATCH /v1/images/{id}": {
    id: "updateImage",
    tag: "Images",
    summary: "Changes title, text, tags and who sees it",
    says: "Send `If-Match` with the ETag that GET answered, so that nobody's change is lost; `*` changes whatever is there. `null` takes a title or a text away.",
    parameters: [{ in: "header", name: "If-Match", says: "The ETag that was read, or `*`." }],
    answers: { 200: { says: "The image as it is now.", json: Image.Info, headers: ["ETag"] } },
    fails: [
      "actor.unauthenticated",
      "body.malformed",
      "body.not_json",
      "image.not_yours",
      "image.not_found",
      "image.changed",
      "image.if_match_missing",
    ],
  },
  "DELETE /v1/images/{id}": {
    id: "deleteImage",
    tag: "Images",
    summary: "Removes an image with its original, renditions, likes and name",
    answers: { 202: { says: "It is gone; its bytes follow.", json: Deleted } },
    fails: ["actor.unauthenticated", "image.not_yours", "image.not_found"],
  },
  "POST /v1/images/{id}/urls": {
    id: "createAddresses",
    tag: "Images",
    summary: "Signed addresses of one's own image, for whoever has them, until they end",
    says: "They are the only ones of a private picture; of a public one they are delivered exactly as they say, however many there are. An address cannot be taken back: it ends with its time, or with the picture.",
    answers: { 200: { says: "One for each request, in their order.", json: Addresses } },
    fails: [
      "actor.unauthenticated",
      "body.malformed",
      "body.not_json",
      "preset.unknown",
      "image.not_yours",
      "image.not_found",
      "image.unfinished",
    ],
  },
  "PUT /v1/images/{id}/like": {
    id: "putLike",
    tag: "Images",
    summary: "Likes an image; a person counts once",
    answers: { 200: { says: "The number of likes, this one included.", json: Like.Click } },
    fails: ["actor.unauthenticated", "image.not_found", ["image.not_ready", 409]],
  },
  "DELETE /v1/images/{id}/like": {
    id: "deleteLike",
    tag: "Images",
    summary: "Likes an image no longer",
    answers: { 200: { says: "The number of likes without this one.", json: Like.Click } },
    fails: ["actor.unauthenticated", "image.not_found"],
  },
  "GET /v1/images/{id}/likes": {
    id: "listLikes",
    tag: "Images",
    summary: "Who likes an image, newest first",
    answers: { 200: { says: "A page.", json: Like.Page, headers: ["Link", "Cache-Control"] } },
    fails: ["cursor.invalid", "image.not_found"],
  },

  "POST /v1/uploads": {
    id: "createUpload",
    tag: "Uploads",
    summary: "Begins an upload of at most 16 MiB, straight into the bucket",
    says: "Answers the image, `pending`, and a form: POST its fields and then the file as `multipart/form-data` to its address within 15 minutes. The bucket refuses another size, another type and, with `sha256`, other bytes.",
    parameters: [idempotencyKey],
    answers: {
      201: {
        says: "The image and the form.",
        json: Upload.Created,
        headers: ["Location", "Idempotency-Replayed"],
      },
    },
    fails: [
      ...idempotency,
      "actor.unauthenticated",
      "body.malformed",
      "body.not_json",
      "upload.unsupported_type",
      "upload.too_large",
      "name.taken",
    ],
  },
  "GET /v1/uploads/{id}": {
    id: "getUpload",
    tag: "Uploads",
    summary: "How far an upload is",
    answers: { 200: { says: "Its state; `rejected` comes with a reason.", json: Upload.Info } },
    fails: ["actor.unauthenticated", "upload.not_found"],
  },

  "GET /v1/me": {
    id: "getMe",
    tag: "Me",
    summary: "Who is signed in",
    answers: { 200: { says: "The person of the token.", json: Person } },
    fails: ["actor.unauthenticated"],
  },
  "GET /v1/me/images": {
    id: "listMyImages",
    tag: "Me",
    summary: "One's own images in every state, newest first",
    answers: { 200: { says: "A page.", json: Image.Page, headers: ["Link"] } },
    fails: ["actor.unauthenticated", "cursor.invalid"],
  },
  "GET /v1/me/images/{id}": {
    id: "getMyImage",
    tag: "Me",
    summary: "One of one's own images, private or not",
    answers: { 200: { says: "The image.", json: Image.Info, headers: ["ETag"] } },
    fails: ["actor.unauthenticated", "image.not_yours", "image.not_found"],
  },
  "GET /v1/me/likes": {
    id: "listMyLikes",
    tag: "Me",
    summary: "What one likes, or which of `ids` one likes",
    answers: { 200: { says: "A page.", json: Like.Page, headers: ["Link"] } },
    fails: ["actor.unauthenticated", "cursor.invalid"],
  },

  "GET /partner/v1/images": metered(listImages, "listImagesAsPartner"),
  "GET /partner/v1/images/{id}": metered(getImage, "getImageAsPartner"),

  "GET /admin/v1/state": {
    id: "getState",
    tag: "Operators",
    summary: "Depths of the queues, dead letters, images by state",
    answers: { 200: { says: "The state.", json: State } },
    fails: ["operator.unsigned", "cursor.invalid"],
  },
  "POST /admin/v1/redrive": {
    id: "redrive",
    tag: "Operators",
    summary: "Sends what failed back to its queue",
    answers: { 202: { says: "It is on its way.", json: Redriven } },
    fails: ["operator.unsigned"],
  },
  "POST /admin/v1/reprocess": {
    id: "reprocess",
    tag: "Operators",
    summary: "Has pictures prepared anew: one, one owner's, or all",
    says: "Call again with `cursor` until `next` is null.",
    answers: { 202: { says: "How many were sent.", json: Sent } },
    fails: ["operator.unsigned", "body.malformed", "body.not_json", "cursor.invalid"],
  },
};
