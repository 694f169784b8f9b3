// Every code that a failure can have, with its status. Codes are stable: programs compare them.

/** What the functions answer. */
export const problems = {
  "body.empty": [400, "The body must be the picture."],
  "body.malformed": [400, "The body is not JSON."],
  "cursor.invalid": [400, "The cursor is not of this list, was changed, or is older than a day."],
  "delivery.invalid_query": [
    400,
    "A key of the query is unknown, doubled or has a value that is not allowed. `errors` names each, with what is allowed.",
  ],
  "delivery.budget_spent": [
    400,
    "The picture has been made in as many unsigned ways as it may be, and this would be a new one. `errors` names each key that is in the way.",
  ],
  "preset.unknown": [400, "There is no such preset. The answer lists those there are."],
  "input.invalid": [400, "The input is not what is expected. `errors` says where and why."],
  "actor.unauthenticated": [401, "Nobody is signed in."],
  "image.not_yours": [403, "The image is somebody else's."],
  "operator.unsigned": [403, "The request is not signed with AWS credentials."],
  "image.not_found": [404, "There is no such image, or none that the caller may see."],
  "image.not_ready": [
    404,
    "The image is still being prepared; `Retry-After` says when to come again.",
  ],
  "delivery.signature_wrong": [
    404,
    "The signature is not one for this address. Said whether there is such a picture or not.",
  ],
  "delivery.signature_expired": [404, "The address was good for a while, which is over."],
  "image.no_such_revision": [404, "The image has another revision by now."],
  "delivery.no_such_preset": [
    404,
    "There is no preset of this name. The answer lists those there are.",
  ],
  "upload.not_found": [404, "The caller has no such upload."],
  "idempotency.invalid_key": [400, "`Idempotency-Key` is not 1 to 255 visible ASCII characters."],
  "idempotency.in_progress": [
    409,
    "The request with this `Idempotency-Key` is still being worked on; `Retry-After` says when to ask again.",
  ],
  "idempotency.other_request": [422, "Another request was sent with this `Idempotency-Key`."],
  "name.taken": [409, "The name is another picture's."],
  "image.unfinished": [409, "The image is not ready, and has no addresses before it is."],
  "image.changed": [412, "The image has changed since it was read."],
  "body.too_large": [413, "The body is larger than one request carries: 4.5 MB."],
  "delivery.too_large": [400, "The delivered picture would exceed the limits."],
  "upload.too_large": [413, "An upload may have at most 16 MiB."],
  "delivery.bad_range": [416, "The range lies behind the last byte."],
  "body.not_json": [415, "The body must be `application/json`."],
  "body.not_picture": [415, "The body must be a picture, with a `Content-Type` of `image/…`."],
  "upload.unsupported_type": [415, "This type of picture is not taken."],
  "image.too_complex": [422, "The picture takes longer to make than is allowed."],
  "image.if_match_missing": [428, "`If-Match` with the ETag that GET answered is missing."],
  "delivery.busy": [
    503,
    "Too many pictures are being made; `Retry-After` says when to come again.",
  ],
  internal: [500, "A fault of ours. Quote the `requestId` when you report it."],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

/** What the gateway answers before or instead of a function; `infra/gateway-responses.ts` gives them their shape. */
const gatewayProblems = {
  "gateway.bad_request_parameters": [400, "A required parameter is missing."],
  "gateway.unauthorized": [401, "The ID token is missing, wrong or expired."],
  "gateway.access_denied": [403, "The signer may not call this."],
  "gateway.invalid_api_key": [
    403,
    "The API key is missing, unknown, disabled or in no plan of this stage; which of these is not said.",
  ],
  "gateway.invalid_signature": [403, "The signature does not match."],
  "gateway.missing_authentication_token": [403, "The request is not signed."],
  "gateway.unsupported_media_type": [415, "The content type is not taken."],
  "gateway.quota_exceeded": [
    429,
    "The key's quota is used up until its period begins anew. `Retry-After` is an hour.",
  ],
  "gateway.throttled": [429, "Too many requests at once. `Retry-After` is a second."],
  "gateway.integration_failure": [502, "The function failed, or its answer was none."],
  "gateway.integration_timeout": [504, "No answer came within 29 seconds."],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

/** What the gateway makes of the bucket's answers on the routes that run no function (`infra/s3-get-route.ts`, `infra/s3-put-route.ts`). */
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
  "store.unavailable": [502, "The bucket does not answer."],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

const all = { ...problems, ...gatewayProblems, ...bucketProblems };

export type Code = keyof typeof all;

/** A code, or a code with another status than it has elsewhere. */
export type ProblemRef = Code | readonly [Code, status: number];

export const codeOf = (failure: ProblemRef): Code =>
  typeof failure === "string" ? failure : failure[0];
export const statusOf = (failure: ProblemRef): number =>
  typeof failure === "string" ? all[failure][0] : failure[1];
export const detailOf = (code: Code): string => all[code][1];
