/** What cases are asked of: the fixture, or anything else that says as much about itself as its cases need. */
export type Target = {
  /** Without a slash at its end. */
  url: string;
  websocketUrl?: string;
  cognito?: Record<string, string>;
  iam?: { accessKeyId: string; secretAccessKey: string; region: string };
  /** Local only. `GET` answers `{"count": n}`: how often an authorizer's function was called. */
  authorizerCalls?: string;
  /** Local only. `POST {"advanceSeconds": n}` moves the clock; the answer has the time and, if there are any, tokens of that time. */
  clock?: string;
  [more: string]: unknown;
};
