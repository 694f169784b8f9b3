/**
 * A rule, as requests and what must be true of their responses. README.md explains the fields and the evidence marks.
 * Strings may hold `${name}` (a field of the target, or a value that a step saved), `${name|uri}` (percent-encoded),
 * `${run}` (unique per run) and `${a*100}` (a hundred letters).
 */
export type Case = {
  /** The rule in one sentence, unique among all cases. */
  title: string;
  /** An evidence mark: where the expectation comes from. */
  evidence: string;
  /** Needs the virtual clock or the counter of authorizer calls. */
  localOnly?: boolean;
  steps: Step[];
  /** The number of authorizer calls that the whole case must cause. */
  authorizerCalls?: number;
};

export type Step =
  | HttpStep
  | WaitStep
  | NextDayStep
  | ConnectStep
  | SendStep
  | ReceiveStep
  | ClosedStep
  | CloseStep
  | CheckStep;

export type HttpStep = {
  request: Request;
  /** Sends the request this many times concurrently. `expectByStatus` then replaces `expect`. */
  times?: number;
  /** By status: the minimum number of responses, and what must be true of each. A response with another status fails. */
  expectByStatus?: Record<string, { min: number } & Omit<Expect, "status">>;
  expect?: Expect;
  /** Repeats the request until the expectation holds, for at most this many seconds. */
  retryForSeconds?: number;
  /** Saves values of the JSON body: name to JSON pointer. */
  save?: Record<string, string>;
  /** Saves values of response headers: name to header name. */
  saveHeaders?: Record<string, string>;
  /** Appends values of the JSON body to saved lists: name to JSON pointer, in which `*` is every item of a list. */
  collect?: Record<string, string>;
};

export type Request = {
  method?: string;
  /** With the stage, sent exactly as written. */
  path: string;
  /** Replaces the target's URL. An empty string means that `path` is an absolute URL. */
  origin?: string;
  /** Sent in this order and casing. */
  headers?: [name: string, value: string][];
  body?: string;
  bodyBase64?: string;
  /** Sends `multipart/form-data`: the saved object named by `fields`, then the file. */
  form?: { fields: string; fileBase64: string };
  sign?: Sign;
};

export type Sign =
  | "valid"
  | "wrong secret"
  | "unknown key"
  | "wrong region"
  | "wrong service"
  | "six minutes ago"
  | "six minutes ahead"
  | "in the query"
  | "in the query, six minutes ago, for a minute"
  | "in the query, six minutes ahead";

export type Expect = {
  status: number;
  headers?: Record<string, Matcher>;
  /** By JSON pointer into the body; the empty pointer is the whole body. */
  json?: Record<string, Matcher>;
  text?: Matcher;
  base64?: string;
  /** Minimum and maximum seconds until the response is complete. */
  seconds?: [min: number, max: number];
  /** False for a response that is not of API Gateway, and so has no `x-amzn-RequestId`. */
  requestId?: false;
};

/** Advances the virtual clock, or waits if the target has none. */
type WaitStep = { waitSeconds: number };
/** Advances the virtual clock by a day, so that quotas used by other cases start again. Does nothing without such a clock. */
type NextDayStep = { nextDay: true };
/** Opens a WebSocket connection; later steps use it. */
export type ConnectStep = {
  connect: string;
  headers?: Record<string, string>;
  protocols?: string[];
  /** Of the handshake; 101 opens the connection. */
  status: number;
  protocol?: string;
};
/** Sends a text; a number of letters in one frame or in frames of `framesOf`; or bytes. */
export type SendStep =
  | { send: string }
  | { sendCharacters: number; framesOf?: number }
  | { sendBase64: string };
/** The server closes the connection with this code. */
type ClosedStep = { closed: number };
type ReceiveStep = { receive: Record<string, Matcher>; save?: Record<string, string> };
type CloseStep = { close: true };
/** Checks a saved or collected value. */
type CheckStep = { check: string; is: Matcher };

/** A value that must be equal, or an object with one of these keys. */
export type Matcher =
  | { $matches: string }
  | { $startsWith: string }
  | { $contains: string }
  | { $absent: true }
  | { $present: true }
  | { $oneOf: unknown[] }
  /** A list of this many strings, each less than the one before. */
  | { $descending: number }
  /** An object with exactly these keys. */
  | { $keys: string[] }
  /** Equal to the value at this pointer of the same document. */
  | { $sameAs: string }
  /** Milliseconds since the epoch, at most this many seconds from now. */
  | { $nowWithin: number }
  | string
  | number
  | boolean
  | null
  | unknown[]
  | object;
