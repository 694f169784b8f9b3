/** The description of each response header. */
export const headers = {
  "Cache-Control": "How long the response may be cached, and by which caches.",
  "Content-Disposition": "The file name; with `dl`, a browser saves the image under it.",
  "Content-Location":
    "The query of the image in this response, relative to the URL, when it differs from the requested one.",
  "Content-Range": "Which bytes these are, and how many there are.",
  ETag: "The version of the response, for `If-None-Match` and `If-Match`.",
  "Idempotency-Replayed":
    "`true` when an earlier request with the same `Idempotency-Key` created the image.",
  Link: 'The next page, `rel="next"`; absent on the last page.',
  Location: "The URL of the new resource.",
  "Retry-After": "Seconds to wait before the next attempt.",
  "Server-Timing": "How long each part of the work took, in milliseconds.",
  Vary: "`Accept` when the format was chosen by it.",
  "x-amzn-RequestId": "The gateway's id of the request, equal to `requestId` in a problem.",
} as const;

export type Header = keyof typeof headers;
