import * as Image from "@balde/core/image.schema";
import * as Like from "@balde/core/like.schema";
import * as Upload from "@balde/core/upload.schema";
import * as Grid from "@balde/imaging/grid.schema";
import type * as z from "zod/mini";

import {
  SignedUrls,
  DeletedImage,
  Health,
  CurrentUser,
  Redriven,
  Reprocessed,
  AdminState,
  PendingUpload,
} from "./response-schemas.ts";
import type { Header } from "./headers.ts";
import {
  type Parameter,
  ifNoneMatchParameters,
  deliveryParameters,
  idempotencyKeyParameter,
  imageNameParameter,
  contentTypeParameter,
  rangeParameters,
} from "./parameters.ts";
import type { ProblemRef } from "./problems.ts";

export type ResponseDescription = {
  description: string;
  json?: z.ZodMiniType;
  /** Bytes of one of these types. */
  bytes?: readonly string[];
  headers?: readonly Header[];
};

/** What the routes' own code does not say about them. What they take is read from their doors. */
export type OperationDescription = {
  id: string;
  tag: "Pictures" | "Images" | "Uploads" | "Me" | "Partners" | "Operators" | "Service";
  summary: string;
  description?: string;
  /** Beside those that the doors tell. */
  parameters?: readonly Parameter[];
  /** A body that is a picture, of these types. */
  imageBody?: readonly string[];
  responses: Record<number, ResponseDescription>;
  problems?: readonly ProblemRef[];
};

const deliveredTypes = [
  "image/avif",
  "image/webp",
  "image/jpeg",
  "image/png",
  "image/gif",
] as const;
const deliveryHeaders = ["ETag", "Cache-Control", "Content-Disposition", "Server-Timing"] as const;

const deliveryOperation = (id: string, more: string): OperationDescription => ({
  id,
  tag: "Pictures",
  summary: "A picture in the size and format that is asked for",
  description: `${more} A private picture needs a signature, which \`POST /v1/images/{id}/urls\` gives its owner; a signed address is good exactly as it is, its keys in any order. The keys of the query may come in any order, each once. What an unknown key, a doubled key or a bad value is answered with names each of them and what is allowed. Equal wishes are one stored picture, however they are spelled.\n\nOf each picture anybody may have 64 different ones made, as he likes. After that, and without a signature, \`w\` and \`h\` times \`dpr\` are rounded up to ${Grid.edges.slice(0, -1).join(", ")} or ${Grid.edges.at(-1)} pixels (down to ${Grid.edges.at(-1)} from above), \`q\` is \`auto\`, and keys that would show another picture than that are 400. \`Content-Location\` then says which picture is shown. What has been made stays exact; presets, sizes of the grid and signed addresses are always possible and count as none.`,
  parameters: [...deliveryParameters, ...ifNoneMatchParameters, ...rangeParameters],
  responses: {
    200: {
      description: "The picture.",
      bytes: deliveredTypes,
      headers: [...deliveryHeaders, "Content-Location", "Vary"],
    },
    206: {
      description: "The part that was asked for.",
      bytes: deliveredTypes,
      headers: ["ETag", "Content-Range"],
    },
    304: {
      description: "The picture that the client has. No pixel was touched.",
      headers: ["ETag"],
    },
  },
  problems: [
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

const headOperation = (operation: OperationDescription): OperationDescription => ({
  ...operation,
  id: operation.id.replace("get", "head"),
  summary: `${operation.summary}: its headers`,
  responses: {
    200: {
      description: "The headers of the picture.",
      headers: operation.responses[200]!.headers!,
    },
    304: operation.responses[304]!,
  },
});

const currentImage = deliveryOperation(
  "getPicture",
  "Without a revision: the picture as it is now, to be asked for again after a minute.",
);
const imageRevision = deliveryOperation(
  "getPictureOfRevision",
  "With a revision the answer never changes and may be kept for ever. In the revision's place a preset's name may stand: the picture as it is now, as the preset says.",
);
const presetImage = deliveryOperation(
  "getPictureByPreset",
  "A preset is a query with a name; what the query says besides comes before what the preset says.",
);

const listImages: OperationDescription = {
  id: "listImages",
  tag: "Images",
  summary: "Public images, newest first",
  responses: {
    200: { description: "A page.", json: Image.Page, headers: ["Link", "Cache-Control"] },
  },
  problems: ["cursor.invalid"],
};

const getImage: OperationDescription = {
  id: "getImage",
  tag: "Images",
  summary: "One image",
  parameters: ifNoneMatchParameters,
  responses: {
    200: { description: "The image.", json: Image.Info, headers: ["ETag", "Cache-Control"] },
    304: { description: "As it was when the client read it.", headers: ["ETag"] },
  },
  problems: ["image.not_found"],
};

const partnerOperation = (operation: OperationDescription, id: string): OperationDescription => ({
  ...operation,
  id,
  tag: "Partners",
  description: "The same as under `/v1`, counted for the API key that is shown.",
});

const idempotencyProblems: readonly ProblemRef[] = [
  "idempotency.invalid_key",
  "idempotency.in_progress",
  "idempotency.other_request",
];

/** By method and path, as the gateway knows them. */
export const operations: Record<string, OperationDescription> = {
  "GET /health": {
    id: "getHealth",
    tag: "Service",
    summary: "Whether the gateway answers",
    description: "No function runs.",
    responses: { 200: { description: "It does.", json: Health, headers: ["Cache-Control"] } },
  },
  "GET /openapi.json": {
    id: "getOpenApi",
    tag: "Service",
    summary: "This document",
    parameters: ifNoneMatchParameters,
    responses: {
      200: {
        description: "OpenAPI 3.1.",
        bytes: ["application/json"],
        headers: ["ETag", "Cache-Control"],
      },
      304: { description: "As it was when the client read it.", headers: ["ETag"] },
    },
  },
  "GET /docs": {
    id: "getDocs",
    tag: "Service",
    summary: "This document as a page",
    parameters: ifNoneMatchParameters,
    responses: {
      200: { description: "The page.", bytes: ["text/html"], headers: ["ETag", "Cache-Control"] },
      304: { description: "As it was when the client read it.", headers: ["ETag"] },
    },
  },

  "GET /i/{id}": currentImage,
  "HEAD /i/{id}": headOperation(currentImage),
  "GET /i/{id}/{rev}": imageRevision,
  "HEAD /i/{id}/{rev}": headOperation(imageRevision),
  "GET /i/{id}/{rev}/{preset}": presetImage,
  "HEAD /i/{id}/{rev}/{preset}": headOperation(presetImage),
  "GET /s3": {
    id: "getPublishedPicture",
    tag: "Pictures",
    summary: "A picture by its name, whole",
    description:
      "The gateway fetches it from the bucket itself; no function runs. It carries no metadata.",
    parameters: [imageNameParameter, ...ifNoneMatchParameters, ...rangeParameters],
    responses: {
      200: {
        description: "The picture.",
        bytes: ["image/jpeg", "image/png", "image/webp", "image/gif"],
        headers: ["ETag", "Cache-Control"],
      },
      206: {
        description: "The part that was asked for.",
        bytes: ["image/jpeg", "image/png", "image/webp", "image/gif"],
        headers: ["ETag", "Content-Range"],
      },
      304: { description: "The picture that the client has.", headers: ["ETag"] },
    },
    problems: [
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
    description:
      "The gateway writes it into the bucket itself; no function runs. Nobody has looked at it yet: whether it became `ready` or was `rejected`, because it is no picture or its name is taken, is in `GET /v1/me/images` a moment later.",
    parameters: [imageNameParameter, contentTypeParameter],
    imageBody: Upload.CONTENT_TYPES,
    responses: {
      202: {
        description: "Stored, and waiting to be looked at.",
        json: PendingUpload,
        headers: ["Location"],
      },
    },
    problems: [
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
    description: "For larger ones: `POST /v1/uploads`.",
    parameters: [idempotencyKeyParameter],
    imageBody: Upload.CONTENT_TYPES,
    responses: {
      202: {
        description: "Stored; the image is `pending` until ingest has looked at it.",
        json: Image.Info,
        headers: ["Location", "Idempotency-Replayed"],
      },
    },
    problems: [
      ...idempotencyProblems,
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
    description:
      "Send `If-Match` with the ETag that GET answered, so that nobody's change is lost; `*` changes whatever is there. `null` takes a title or a text away.",
    parameters: [
      { in: "header", name: "If-Match", description: "The ETag that was read, or `*`." },
    ],
    responses: {
      200: { description: "The image as it is now.", json: Image.Info, headers: ["ETag"] },
    },
    problems: [
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
    responses: { 202: { description: "It is gone; its bytes follow.", json: DeletedImage } },
    problems: ["actor.unauthenticated", "image.not_yours", "image.not_found"],
  },
  "POST /v1/images/{id}/urls": {
    id: "createAddresses",
    tag: "Images",
    summary: "Signed addresses of one's own image, for whoever has them, until they end",
    description:
      "They are the only ones of a private picture; of a public one they are delivered exactly as they say, however many there are. An address cannot be taken back: it ends with its time, or with the picture.",
    responses: { 200: { description: "One for each request, in their order.", json: SignedUrls } },
    problems: [
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
    responses: {
      200: { description: "The number of likes, this one included.", json: Like.Click },
    },
    problems: ["actor.unauthenticated", "image.not_found", ["image.not_ready", 409]],
  },
  "DELETE /v1/images/{id}/like": {
    id: "deleteLike",
    tag: "Images",
    summary: "Likes an image no longer",
    responses: { 200: { description: "The number of likes without this one.", json: Like.Click } },
    problems: ["actor.unauthenticated", "image.not_found"],
  },
  "GET /v1/images/{id}/likes": {
    id: "listLikes",
    tag: "Images",
    summary: "Who likes an image, newest first",
    responses: {
      200: { description: "A page.", json: Like.Page, headers: ["Link", "Cache-Control"] },
    },
    problems: ["cursor.invalid", "image.not_found"],
  },

  "POST /v1/uploads": {
    id: "createUpload",
    tag: "Uploads",
    summary: "Begins an upload of at most 16 MiB, straight into the bucket",
    description:
      "Answers the image, `pending`, and a form: POST its fields and then the file as `multipart/form-data` to its address within 15 minutes. The bucket refuses another size, another type and, with `sha256`, other bytes.",
    parameters: [idempotencyKeyParameter],
    responses: {
      201: {
        description: "The image and the form.",
        json: Upload.Created,
        headers: ["Location", "Idempotency-Replayed"],
      },
    },
    problems: [
      ...idempotencyProblems,
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
    responses: {
      200: { description: "Its state; `rejected` comes with a reason.", json: Upload.Info },
    },
    problems: ["actor.unauthenticated", "upload.not_found"],
  },

  "GET /v1/me": {
    id: "getMe",
    tag: "Me",
    summary: "Who is signed in",
    responses: { 200: { description: "The person of the token.", json: CurrentUser } },
    problems: ["actor.unauthenticated"],
  },
  "GET /v1/me/images": {
    id: "listMyImages",
    tag: "Me",
    summary: "One's own images in every state, newest first",
    responses: { 200: { description: "A page.", json: Image.Page, headers: ["Link"] } },
    problems: ["actor.unauthenticated", "cursor.invalid"],
  },
  "GET /v1/me/images/{id}": {
    id: "getMyImage",
    tag: "Me",
    summary: "One of one's own images, private or not",
    responses: { 200: { description: "The image.", json: Image.Info, headers: ["ETag"] } },
    problems: ["actor.unauthenticated", "image.not_yours", "image.not_found"],
  },
  "GET /v1/me/likes": {
    id: "listMyLikes",
    tag: "Me",
    summary: "What one likes, or which of `ids` one likes",
    responses: { 200: { description: "A page.", json: Like.Page, headers: ["Link"] } },
    problems: ["actor.unauthenticated", "cursor.invalid"],
  },

  "GET /partner/v1/images": partnerOperation(listImages, "listImagesAsPartner"),
  "GET /partner/v1/images/{id}": partnerOperation(getImage, "getImageAsPartner"),

  "GET /admin/v1/state": {
    id: "getState",
    tag: "Operators",
    summary: "Depths of the queues, dead letters, images by state",
    responses: { 200: { description: "The state.", json: AdminState } },
    problems: ["operator.unsigned", "cursor.invalid"],
  },
  "POST /admin/v1/redrive": {
    id: "redrive",
    tag: "Operators",
    summary: "Sends what failed back to its queue",
    responses: { 202: { description: "It is on its way.", json: Redriven } },
    problems: ["operator.unsigned"],
  },
  "POST /admin/v1/reprocess": {
    id: "reprocess",
    tag: "Operators",
    summary: "Has pictures prepared anew: one, one owner's, or all",
    description: "Call again with `cursor` until `next` is null.",
    responses: { 202: { description: "How many were sent.", json: Reprocessed } },
    problems: ["operator.unsigned", "body.malformed", "body.not_json", "cursor.invalid"],
  },
};
