/** What cases run against: the fixture, or another API that describes itself as far as its cases need. */
export type Target = {
  /** Without a slash at its end. */
  url: string;
  websocketUrl?: string;
  cognito?: Record<string, string>;
  iam?: { accessKeyId: string; secretAccessKey: string; region: string };
  /** Local only. `GET` returns `{"count": n}`: how often an authorizer function was called. */
  authorizerCalls?: string;
  /** Local only. `POST {"advanceSeconds": n}` advances the virtual clock and returns its time and, if there is a user pool, new tokens. */
  clock?: string;
  [more: string]: unknown;
};
