import * as Image from "@balde/core/image.schema";
import * as Like from "@balde/core/like.schema";
import * as Usage from "@balde/core/usage.schema";
import * as Upload from "@balde/core/upload.schema";
import * as UploadState from "@balde/core/upload-state.schema";
import * as Grid from "@balde/imaging/grid.schema";
import type * as z from "zod/mini";

import {
  SignedUrls,
  DeletedImage,
  DeletingUser,
  Health,
  CurrentUser,
  Redriven,
  Reprocessed,
  AdminState,
  PendingUpload,
  PictureFacts,
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
  /** The content types of a body that is bytes. */
  bytes?: readonly string[];
  headers?: readonly Header[];
};

/** The description of a route. The schemas of its input are read from its validators. */
export type OperationDescription = {
  id: string;
  tag: "Pictures" | "Images" | "Uploads" | "Me" | "Partners" | "Operators" | "Service";
  summary: string;
  description?: string;
  /** Parameters beside those that the validators declare. */
  parameters?: readonly Parameter[];
  /** The content types of a request body that is an image. */
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
  summary: "An image in the requested size and format",
  description: `${more} A private image needs a signed URL, which its owner creates with \`POST /v1/images/{id}/urls\`; a signed URL is valid only unchanged, but its keys may be in any order. Each key of the query may be sent once, in any order. The response to an unknown key, a repeated key or a wrong value names each of them and what is allowed. Equal requests share one stored image, however they are written.\n\nEach image may be requested in 64 different ways without a signature. After that, in requests without a signature, \`w\` and \`h\` times \`dpr\` are rounded up to ${Grid.EDGES.slice(0, -1).join(", ")} or ${Grid.EDGES.at(-1)} pixels (down to ${Grid.EDGES.at(-1)} from above), or, where only one of them is given and no \`ar\`, to ${Grid.SINGLE_EDGES.slice(0, -1).join(", ")} or ${Grid.SINGLE_EDGES.at(-1)} pixels, \`q\` is \`auto\`, and keys that would change the image in other ways are rejected with 400. \`Content-Location\` then has the query of the image in the response. Images that were already made stay exact. Presets, sizes of the grid and signed URLs are always possible and do not count.`,
  parameters: [...deliveryParameters, ...ifNoneMatchParameters, ...rangeParameters],
  responses: {
    200: {
      description: "The image; with `f=json` what is known of it.",
      bytes: deliveredTypes,
      json: PictureFacts,
      headers: [...deliveryHeaders, "Content-Location", "Vary"],
    },
    206: {
      description: "The requested range of bytes.",
      bytes: deliveredTypes,
      headers: ["ETag", "Content-Range"],
    },
    304: {
      description: "The client's copy is current; nothing was rendered.",
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
      description: "The headers of the image.",
      headers: operation.responses[200]!.headers!,
    },
    304: operation.responses[304]!,
  },
});

const currentImage = deliveryOperation(
  "getPicture",
  "Without a revision: the current image, cached for one minute.",
);
const imageRevision = deliveryOperation(
  "getPictureOfRevision",
  "With a revision: the response never changes and may be cached forever. Instead of the revision, the path may have the name of a preset: the current image with the parameters of the preset.",
);
const presetImage = deliveryOperation(
  "getPictureByPreset",
  "A preset is a named set of query parameters; parameters in the query override those of the preset.",
);

const publishedPicture: OperationDescription = {
  id: "getPublishedPicture",
  tag: "Pictures",
  summary: "The image with a name, as it was prepared",
  description:
    "The gateway reads it from the bucket itself; no function runs. It is a copy without metadata, of at most 4096 pixels and 9.5 MB, as JPEG, PNG, WebP or GIF.",
  parameters: [imageNameParameter, ...ifNoneMatchParameters, ...rangeParameters],
  responses: {
    200: {
      description: "The image.",
      bytes: ["image/jpeg", "image/png", "image/webp", "image/gif"],
      headers: ["ETag", "Cache-Control"],
    },
    206: {
      description: "The requested range of bytes.",
      bytes: ["image/jpeg", "image/png", "image/webp", "image/gif"],
      headers: ["ETag", "Content-Range"],
    },
    304: { description: "The client's copy is current.", headers: ["ETag"] },
  },
  problems: [
    "gateway.bad_request_parameters",
    "picture.unreadable",
    "picture.missing",
    "range.unsatisfiable",
    "store.unavailable",
  ],
};

const listImages: OperationDescription = {
  id: "listImages",
  tag: "Images",
  summary: "Public images, newest first",
  responses: {
    200: {
      description: "A page of the list.",
      json: Image.Page,
      headers: ["Link", "Cache-Control"],
    },
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
    304: { description: "The client's copy is current.", headers: ["ETag"] },
  },
  problems: ["image.not_found"],
};

const partnerOperation = (operation: OperationDescription, id: string): OperationDescription => ({
  ...operation,
  id,
  tag: "Partners",
  description: "The same as under `/v1`, metered for the API key of the request.",
});

const idempotencyProblems: readonly ProblemRef[] = [
  "idempotency.invalid_key",
  "idempotency.in_progress",
  "idempotency.other_request",
  "upload.gone",
];

/** Of every operation that creates an image. */
const creationProblems: readonly ProblemRef[] = [
  "account.deleting",
  "quota.images",
  "quota.bytes",
  "quota.open_uploads",
  "quota.reserved_names",
];

/** The description of each route, by method and path as in the gateway. */
export const operations: Record<string, OperationDescription> = {
  "GET /health": {
    id: "getHealth",
    tag: "Service",
    summary: "Health of the gateway",
    description: "No function runs.",
    responses: {
      200: { description: "The gateway is available.", json: Health, headers: ["Cache-Control"] },
    },
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
      304: { description: "The client's copy is current.", headers: ["ETag"] },
    },
  },
  "GET /docs": {
    id: "getDocs",
    tag: "Service",
    summary: "This document as a page",
    parameters: ifNoneMatchParameters,
    responses: {
      200: { description: "The page.", bytes: ["text/html"], headers: ["ETag", "Cache-Control"] },
      304: { description: "The client's copy is current.", headers: ["ETag"] },
    },
  },

  "GET /i/{id}": currentImage,
  "HEAD /i/{id}": headOperation(currentImage),
  "GET /i/{id}/{rev}": imageRevision,
  "HEAD /i/{id}/{rev}": headOperation(imageRevision),
  "GET /i/{id}/{rev}/{preset}": presetImage,
  "HEAD /i/{id}/{rev}/{preset}": headOperation(presetImage),
  "GET /s3": publishedPicture,
  "HEAD /s3": headOperation(publishedPicture),
  "PUT /s3": {
    id: "putNamedPicture",
    tag: "Uploads",
    summary: "Uploads an image under a name, in one request of at most 10 MiB",
    description:
      "The gateway writes it to the bucket itself; no function runs. The image is checked afterwards: `GET /v1/uploads/{id}`, the `Location`, is 404 with `Retry-After` until the image exists, and shows a moment later whether it is `ready`, or `rejected` because it is no image, its name is taken or you have as many images as are allowed.",
    parameters: [imageNameParameter, contentTypeParameter],
    imageBody: Upload.CONTENT_TYPES,
    responses: {
      202: {
        description: "Stored; it is checked next.",
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
    summary: "Uploads an image of at most 4.29 MiB (4,500,000 bytes) as the body of one request",
    description:
      "The bytes decide what the image is: any `image/…` may be declared, or `application/octet-stream`. Without a `Content-Type` the gateway would change the bytes, so the request is rejected. Use `POST /v1/uploads` for larger images. `tags` may be one list with commas, or repeated.",
    parameters: [idempotencyKeyParameter],
    imageBody: Upload.CONTENT_TYPES,
    responses: {
      202: {
        description: "Stored; the image is `pending` until it has been checked.",
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
      "image.not_a_picture",
      "name.taken",
      ...creationProblems,
    ],
  },
  "GET /v1/images/{id}": getImage,
  "PATCH /v1/images/{id}": {
    id: "updateImage",
    tag: "Images",
    summary: "Changes title, alternative text, tags and visibility",
    description:
      "Send `If-Match` with the ETag of the last GET, so that no other change is overwritten; `*` skips the comparison. `null` removes a title or an alternative text.",
    parameters: [
      {
        in: "header",
        name: "If-Match",
        description: "The ETag of the image that was read, or `*`.",
      },
    ],
    responses: {
      200: { description: "The changed image.", json: Image.Info, headers: ["ETag"] },
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
    summary: "Deletes an image with its original, renditions, likes and name",
    responses: {
      202: { description: "The image is deleted; its files are removed next.", json: DeletedImage },
    },
    problems: ["actor.unauthenticated", "image.not_yours", "image.not_found"],
  },
  "POST /v1/images/{id}/urls": {
    id: "createAddresses",
    tag: "Images",
    summary: "Creates signed URLs of your own image, which expire",
    description:
      "Anyone who has a signed URL can read the image until it expires. A private image has no other URLs; of a public image, a signed URL is always delivered exactly, without a limit on their number. A signed URL cannot be revoked: it is valid until it expires or the image is deleted.",
    responses: {
      200: { description: "One URL for each request, in their order.", json: SignedUrls },
    },
    problems: [
      "actor.unauthenticated",
      "body.malformed",
      "body.not_json",
      "preset.unknown",
      "image.not_yours",
      "image.not_found",
      "image.unfinished",
      "quota.signed_urls",
    ],
  },
  "PUT /v1/images/{id}/like": {
    id: "putLike",
    tag: "Images",
    summary: "Likes an image; each user counts once",
    responses: {
      200: { description: "The number of likes, with this one.", json: Like.Click },
    },
    problems: [
      "actor.unauthenticated",
      "image.not_found",
      ["image.not_ready", 409],
      "account.deleting",
    ],
  },
  "DELETE /v1/images/{id}/like": {
    id: "deleteLike",
    tag: "Images",
    summary: "Removes your like from an image",
    description: "Also from an image that has become private: then the number of likes is 0.",
    responses: { 200: { description: "The number of likes without this one.", json: Like.Click } },
    problems: ["actor.unauthenticated", "image.not_found", ["image.not_ready", 409]],
  },
  "GET /v1/images/{id}/likes": {
    id: "listLikes",
    tag: "Images",
    summary: "The likes of an image, newest first",
    responses: {
      200: {
        description: "A page of the list.",
        json: Like.Page,
        headers: ["Link", "Cache-Control"],
      },
    },
    problems: ["cursor.invalid", "image.not_found"],
  },

  "POST /v1/uploads": {
    id: "createUpload",
    tag: "Uploads",
    summary: "Creates an upload of at most 500 MiB, directly to the bucket",
    description:
      "Returns the image, which is `pending`, and how its bytes are sent within a day. `form`, up to 16 MiB: POST the fields and then the file as `multipart/form-data` to the URL within 15 minutes. The bucket rejects a larger size and, with `sha256`, other bytes. `parts`, for larger files or on request: cut the file into parts of `partBytes` bytes, request an address for each with `POST /v1/uploads/{id}/parts`, PUT it there, and finish with `POST /v1/uploads/{id}/complete`.",
    parameters: [idempotencyKeyParameter],
    responses: {
      201: {
        description: "The image, and the form or the size of the parts.",
        json: UploadState.Created,
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
      ...creationProblems,
    ],
  },
  "GET /v1/uploads/{id}": {
    id: "getUpload",
    tag: "Uploads",
    summary: "The state of an upload",
    description:
      "While the image is `pending`: `received` says whether the bucket has the whole file, and `parts` which parts are stored, so that a client can go on after it was closed.",
    responses: {
      200: { description: "The state; `rejected` has a reason.", json: UploadState.Info },
    },
    problems: ["actor.unauthenticated", "upload.not_found", "account.deleting"],
  },
  "DELETE /v1/uploads/{id}": {
    id: "abortUpload",
    tag: "Uploads",
    summary: "Ends an upload whose bytes have not come",
    description:
      "Deletes the image, frees its name and its share of the limits, and removes the parts that are stored. It may be repeated.",
    responses: {
      202: { description: "The upload has ended.", json: DeletedImage },
    },
    problems: ["actor.unauthenticated", "upload.not_found", "upload.received"],
  },
  "POST /v1/uploads/{id}/form": {
    id: "renewUploadForm",
    tag: "Uploads",
    summary: "A new form for a pending upload",
    description: "The form of `POST /v1/uploads` expires after 15 minutes; the upload after a day.",
    responses: {
      200: { description: "The form.", json: UploadState.PresignedPost },
    },
    problems: [
      "actor.unauthenticated",
      "upload.not_found",
      "upload.received",
      "upload.other_method",
    ],
  },
  "POST /v1/uploads/{id}/parts": {
    id: "signUploadParts",
    tag: "Uploads",
    summary: "Addresses for parts of a pending upload",
    description:
      "PUT each part to its address, with exactly `bytes` bytes and no `Content-Type`, beginning within an hour. A part may be sent again. The bucket rejects another size.",
    responses: {
      200: {
        description: "The addresses, in the order of the numbers.",
        json: UploadState.SignedParts,
      },
    },
    problems: [
      "actor.unauthenticated",
      "body.malformed",
      "body.not_json",
      "upload.not_found",
      "upload.received",
      "upload.other_method",
    ],
  },
  "POST /v1/uploads/{id}/complete": {
    id: "completeUpload",
    tag: "Uploads",
    summary: "Makes the parts the file",
    description:
      "Only if the bucket has exactly the bytes that were declared; otherwise nothing changes. It may be repeated.",
    responses: {
      200: { description: "The state of the upload.", json: UploadState.Info },
    },
    problems: [
      "actor.unauthenticated",
      "upload.not_found",
      "upload.other_method",
      "upload.incomplete",
      "upload.gone",
    ],
  },

  "GET /v1/me": {
    id: "getMe",
    tag: "Me",
    summary: "The signed-in user",
    responses: { 200: { description: "The user of the ID token.", json: CurrentUser } },
    problems: ["actor.unauthenticated"],
  },
  "DELETE /v1/me": {
    id: "deleteMe",
    tag: "Me",
    summary: "Deletes your account with your images, likes and sign-in",
    description:
      "Everything that belongs to you is removed in the background, within minutes. From the answer on you can create nothing; the ID token that you have stays readable until it expires.",
    responses: { 202: { description: "The account is being deleted.", json: DeletingUser } },
    problems: ["actor.unauthenticated"],
  },
  "GET /v1/me/usage": {
    id: "getMyUsage",
    tag: "Me",
    summary: "What you have used of your limits",
    description:
      "Images count from their creation until they are deleted or rejected; an upload that does not come counts for a day. A request that exceeds a limit is rejected with 429, an upload through `PUT /s3` becomes `rejected`.",
    responses: {
      200: {
        description: "For each quota, how much is used and how much there is.",
        json: Usage.Info,
      },
    },
    problems: ["actor.unauthenticated"],
  },
  "GET /v1/me/images": {
    id: "listMyImages",
    tag: "Me",
    summary: "Your own images in every state, newest first",
    responses: { 200: { description: "A page of the list.", json: Image.Page, headers: ["Link"] } },
    problems: ["actor.unauthenticated", "cursor.invalid"],
  },
  "GET /v1/me/images/{id}": {
    id: "getMyImage",
    tag: "Me",
    summary: "One of your own images, public or private",
    responses: { 200: { description: "The image.", json: Image.Info, headers: ["ETag"] } },
    problems: ["actor.unauthenticated", "image.not_yours", "image.not_found"],
  },
  "GET /v1/me/likes": {
    id: "listMyLikes",
    tag: "Me",
    summary: "The images that you like, or those of `ids` that you like",
    description:
      "Without images that were deleted or have become private. A page may have fewer items than `limit`; the list ends with `next: null`.",
    responses: { 200: { description: "A page of the list.", json: Like.Page, headers: ["Link"] } },
    problems: ["actor.unauthenticated", "cursor.invalid"],
  },

  "GET /partner/v1/images": partnerOperation(listImages, "listImagesAsPartner"),
  "GET /partner/v1/images/{id}": partnerOperation(getImage, "getImageAsPartner"),

  "GET /admin/v1/state": {
    id: "getState",
    tag: "Operators",
    summary: "The number of messages in the queues and of images by state",
    responses: { 200: { description: "The state.", json: AdminState } },
    problems: ["operator.unsigned", "cursor.invalid"],
  },
  "POST /admin/v1/redrive": {
    id: "redrive",
    tag: "Operators",
    summary: "Moves messages from the dead-letter queue back to their queue",
    responses: { 202: { description: "The move has started.", json: Redriven } },
    problems: ["operator.unsigned"],
  },
  "DELETE /admin/v1/images/{imageId}": {
    id: "takeDownImage",
    tag: "Operators",
    summary: "Deletes an image of any owner",
    responses: {
      202: { description: "The image is deleted; its files are removed next.", json: DeletedImage },
    },
    problems: ["operator.unsigned", "image.not_found"],
  },
  "DELETE /admin/v1/users/{userId}": {
    id: "deleteUser",
    tag: "Operators",
    summary: "Deletes the account of a user with its images, likes and sign-in",
    description:
      "`userId` is the user's `sub`. It may be called for a user that the user pool has deleted already.",
    responses: { 202: { description: "The account is being deleted.", json: DeletingUser } },
    problems: ["operator.unsigned"],
  },
  "POST /admin/v1/reprocess": {
    id: "reprocess",
    tag: "Operators",
    summary: "Processes images again: one, all of one owner, or all",
    description: "Call again with `cursor` until `next` is null.",
    responses: {
      202: { description: "The number of images that were queued.", json: Reprocessed },
    },
    problems: ["operator.unsigned", "body.malformed", "body.not_json", "cursor.invalid"],
  },
};
