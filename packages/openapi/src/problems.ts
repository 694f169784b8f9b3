// Every error code with its status and description. Codes are stable: programs compare them.

/** The errors of the functions. */
export const problems = {
  "body.empty": [400, "The body is empty; it must be the image."],
  "body.malformed": [400, "The body is not valid JSON."],
  "cursor.invalid": [
    400,
    "The cursor belongs to another list, was changed, or is older than a day.",
  ],
  "delivery.invalid_query": [
    400,
    "A key of the query is unknown, repeated or has a value that is not allowed. `errors` names each, with what is allowed.",
  ],
  "delivery.budget_spent": [
    400,
    "The image has been requested in as many ways as are allowed without a signature. `errors` names each key that would make a new one.",
  ],
  "preset.unknown": [400, "There is no such preset. The response lists the existing ones."],
  "input.invalid": [400, "The input is not valid. `errors` says where and why."],
  "actor.unauthenticated": [401, "The request has no signed-in user."],
  "image.not_yours": [403, "The image belongs to another user."],
  "operator.unsigned": [403, "The request is not signed with AWS credentials."],
  "image.not_found": [404, "There is no such image, or the user may not see it."],
  "image.not_ready": [404, "The image is still being processed; retry after `Retry-After`."],
  "delivery.signature_wrong": [
    404,
    "The signature does not match this URL. The response is the same whether the image exists or not.",
  ],
  "delivery.signature_expired": [
    404,
    "This signed URL has expired; ask the owner of the image for a new one.",
  ],
  "image.no_such_revision": [404, "The image has a newer revision."],
  "delivery.no_such_preset": [
    404,
    "There is no preset of this name. The response lists the existing ones.",
  ],
  "upload.not_found": [404, "The user has no such upload."],
  "idempotency.invalid_key": [400, "`Idempotency-Key` is not 1 to 255 visible ASCII characters."],
  "idempotency.in_progress": [
    409,
    "The request with this `Idempotency-Key` is still running; retry after `Retry-After`.",
  ],
  "idempotency.other_request": [
    422,
    "This `Idempotency-Key` was used for another request; a new request needs a new key.",
  ],
  "upload.gone": [
    410,
    "The image of this `Idempotency-Key` was deleted, its upload has expired, or the bucket does not have its parts any more; create another upload, with a new key.",
  ],
  "upload.incomplete": [409, "The bucket does not have all bytes that were declared."],
  "upload.other_method": [409, "The upload is sent as a form, or in parts."],
  "upload.received": [409, "The bytes have come; nothing of the upload can be changed."],
  "name.taken": [409, "Another image has this name. `suggestion` is one that is free."],
  "image.unfinished": [409, "The image is not ready, and has no URLs before it is."],
  "image.changed": [412, "The image has changed since it was read."],
  "body.too_large": [
    413,
    "The body is larger than 4.29 MiB (4,500,000 bytes), the limit of one request with an image: use `POST /v1/uploads`. A JSON body may have 256 KiB.",
  ],
  "delivery.too_large": [400, "The requested image would exceed the size limits."],
  "upload.too_large": [413, "An upload may have at most 500 MiB, and one form at most 16 MiB."],
  "delivery.bad_range": [416, "The range starts after the last byte."],
  "body.not_json": [415, "The body must be `application/json`."],
  "body.not_picture": [
    415,
    "The body must be an image, with a `Content-Type` of `image/…` or `application/octet-stream`.",
  ],
  "upload.unsupported_type": [415, "The declared type is not of an image."],
  "image.not_a_picture": [415, "The first bytes are of no known image format."],
  "image.too_complex": [422, "Rendering the image takes longer than allowed."],
  "image.if_match_missing": [428, "`If-Match` is missing; send the ETag of the last GET."],
  "account.deleting": [409, "The account is being deleted; nothing can be added to it."],
  "quota.images": [429, "The user has as many images as are allowed. `quota` says how many."],
  "quota.bytes": [429, "The images of the user have as many bytes as are allowed."],
  "quota.open_uploads": [
    429,
    "Too many uploads of the user have not come yet. `Retry-After` is when the first of them expires.",
  ],
  "quota.reserved_names": [
    429,
    "Too many names are reserved for uploads of the user that have not come yet. `Retry-After` is when the first of them expires.",
  ],
  "quota.signed_urls": [
    429,
    "The user has created as many signed URLs today as are allowed. `Retry-After` is the rest of the day in UTC.",
  ],
  "delivery.busy": [503, "Too many images are being rendered; retry after `Retry-After`."],
  "service.unavailable": [
    503,
    "A service that this one needs is overloaded or does not respond; retry after `Retry-After`.",
  ],
  internal: [500, "An error in this service. Quote the `requestId` when you report it."],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

/** The errors of the gateway, before or instead of a function; `infra/gateway-responses.ts` gives them their shape. */
const gatewayProblems = {
  "gateway.bad_request_parameters": [400, "A required parameter is missing."],
  "gateway.unauthorized": [401, "The ID token is missing, wrong or expired."],
  "gateway.access_denied": [403, "The signer has no permission to call this."],
  "gateway.invalid_api_key": [
    403,
    "The API key is missing, unknown, disabled or in no plan of this stage; the response does not say which.",
  ],
  "gateway.invalid_signature": [403, "The signature does not match."],
  "gateway.missing_authentication_token": [403, "The request is not signed."],
  "gateway.unsupported_media_type": [415, "The content type is not accepted."],
  "gateway.quota_exceeded": [
    429,
    "The quota of the key is used up until its next period. `Retry-After` is an hour.",
  ],
  "gateway.throttled": [429, "Too many requests at once. `Retry-After` is a second."],
  "gateway.integration_failure": [502, "The function failed, or its response was not valid."],
  "gateway.integration_timeout": [504, "The function did not respond within 29 seconds."],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

/** The errors of the routes that the gateway answers from the bucket, without a function (`infra/s3-get-route.ts`, `infra/s3-put-route.ts`). */
const bucketProblems = {
  "picture.unreadable": [
    400,
    "The image cannot be read: a parameter or header of the request is not valid.",
  ],
  "upload.refused": [
    400,
    "The image cannot be stored: a parameter or header of the request is not valid.",
  ],
  "picture.missing": [404, "There is no image with this name."],
  "upload.waiting": [
    409,
    "An image that the caller sent under this name is still being processed.",
  ],
  "range.unsatisfiable": [416, "The range is outside the image."],
  "store.unavailable": [502, "The bucket does not respond."],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

const all = { ...problems, ...gatewayProblems, ...bucketProblems };

export type Code = keyof typeof all;

/** A code with its usual status, or with another status. */
export type ProblemRef = Code | readonly [Code, status: number];

export const codeOf = (failure: ProblemRef): Code =>
  typeof failure === "string" ? failure : failure[0];
export const statusOf = (failure: ProblemRef): number =>
  typeof failure === "string" ? all[failure][0] : failure[1];
export const detailOf = (code: Code): string => all[code][1];
