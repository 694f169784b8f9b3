/** What the headers of answers say. */
export const headers = {
  "Cache-Control": "For how long, and by whom, the answer may be kept.",
  "Content-Disposition": "The file's name; with `dl` it is a download.",
  "Content-Location":
    "Which picture this is, when it is not exactly the one that was asked for: a query, relative to the address.",
  "Content-Range": "Which bytes of how many these are.",
  ETag: "Of exactly these bytes, or of this version: for `If-None-Match` and `If-Match`.",
  Link: 'The next page, `rel="next"`, while there is one.',
  Location: "Where what was made is found.",
  "Retry-After": "Seconds after which it is worth trying again.",
  "Server-Timing": "What the answer spent its time on.",
  Vary: "`Accept` where the format follows from it.",
  "x-amzn-RequestId": "The gateway's id of the request, the same as `requestId` in a problem.",
} as const;

export type Header = keyof typeof headers;
