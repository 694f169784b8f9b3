/**
 * What is asked and which facts must hold. Texts may hold `${apiKeys.P}`, anything of the target or of what a step saved,
 * `${run}`, a word that no other run has, and `${a*100}`, a hundred letters.
 */
export type Case = {
  id: string;
  says: string;
  /** Where the expectation comes from: `V-AWS` recorded from AWS, `V-DOC` AWS's documentation, `V-WILD` captured by others, `K` common knowledge, `design`. */
  evidence: string;
  /** Needs the virtual clock or the counter of authorizer calls, or measures time. */
  localOnly?: boolean;
  steps: Step[];
  /** How many calls of authorizers the whole case makes. */
  authorizerCalls?: number;
};

export type Step =
  | HttpStep
  | WaitStep
  | FreshDayStep
  | ConnectStep
  | SendStep
  | ReceiveStep
  | ClosedStep
  | CloseStep
  | CheckStep;

export type HttpStep = {
  request: Request;
  /** The same request so many times at once; `among` then holds, not `expect`. */
  times?: number;
  /** By status: at least so many answers, and what is true of each. No other status may be among them. */
  among?: Record<string, { least: number } & Omit<Expect, "status">>;
  expect?: Expect;
  /** Asked again and again until what is expected holds, for so many seconds. */
  patience?: number;
  /** Names for what is at a pointer into the JSON of the answer. */
  save?: Record<string, string>;
  /** Names for the values of the answer's header fields. */
  saveHeaders?: Record<string, string>;
  /** Names for lists that grow by what is at a pointer, in which `*` stands for every item. */
  collect?: Record<string, string>;
};

export type Request = {
  method?: string;
  /** With the stage, exactly as it goes over the wire. */
  path: string;
  /** Instead of the target's own; empty when the path is a whole URL. */
  origin?: string;
  /** In order and with their casing. */
  headers?: [name: string, value: string][];
  body?: string;
  bodyBase64?: string;
  /** `multipart/form-data`: the fields that were saved under a name, and the file behind them. */
  form?: { fields: string; fileBase64: string };
  sign?: Sign;
};

export type Sign =
  | "right"
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
  headers?: Record<string, Fact>;
  /** By JSON pointer into the body; the empty pointer is all of it. */
  json?: Record<string, Fact>;
  text?: Fact;
  base64?: string;
  /** Least and most seconds until the answer. */
  seconds?: [number, number];
  /** Every answer of API Gateway has a request id, but for those of the transport. */
  requestId?: false;
};

type WaitStep = { waitSeconds: number };
/** Quotas of earlier runs are over: a day later, where the clock can be moved, else now. */
type FreshDayStep = { freshDay: true };
export type ConnectStep = {
  connect: string;
  headers?: Record<string, string>;
  protocols?: string[];
  /** Of the handshake's answer; 101 is a connection. */
  status: number;
  protocol?: string;
};
/** A text; or so many letters in one frame, or in frames of so many; or bytes. */
export type SendStep =
  | { send: string }
  | { sendLetters: number; framesOf?: number }
  | { sendBase64: string };
/** The other side ends the connection with this code. */
type ClosedStep = { closed: number };
type ReceiveStep = { receive: Record<string, Fact>; save?: Record<string, string> };
type CloseStep = { close: true };
/** What is true of something that was saved or collected. */
type CheckStep = { check: string; is: Fact };

/** A value that must be equal, or an object of one of these. */
export type Fact =
  | { $matches: string }
  | { $startsWith: string }
  | { $contains: string }
  | { $absent: true }
  | { $present: true }
  | { $oneOf: unknown[] }
  /** So many texts, each less than the one before. */
  | { $descending: number }
  /** An object with exactly these keys. */
  | { $keys: string[] }
  /** The same as the JSON body has there. */
  | { $sameAs: string }
  /** Milliseconds since the epoch, so many seconds from now at most. */
  | { $nowWithin: number }
  | string
  | number
  | boolean
  | null
  | unknown[]
  | object;
