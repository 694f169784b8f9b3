/** What is asked and which facts must hold. Texts may hold `${apiKeys.P}`, anything of the fixture or of what a step saved. */
export type Case = {
  id: string;
  says: string;
  /** Where the expectation comes from: `V-AWS` recorded from AWS, `V-DOC` AWS's documentation, `V-WILD` captured by others, `design`. */
  evidence: string;
  /** Needs the virtual clock or the counter of authorizer calls, or measures time. */
  localOnly?: boolean;
  steps: Step[];
  /** How many calls of authorizers the whole case makes. */
  authorizerCalls?: number;
};

export type Step = HttpStep | WaitStep | ConnectStep | SendStep | ReceiveStep | CloseStep;

export type HttpStep = {
  request: Request;
  /** The same request so many times at once; `among` then holds, not `expect`. */
  times?: number;
  /** By status: at least so many answers, and what is true of each. No other status may be among them. */
  among?: Record<string, { least: number } & Omit<Expect, "status">>;
  expect?: Expect;
};

export type Request = {
  method?: string;
  /** With the stage, exactly as it goes over the wire. */
  path: string;
  /** Instead of the fixture's own. */
  origin?: string;
  /** In order and with their casing. */
  headers?: [name: string, value: string][];
  body?: string;
  bodyBase64?: string;
  /** A body of so many letters. */
  bodyBytes?: number;
  sign?: "right" | "wrong secret";
};

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
type ConnectStep = { connect: string; status: number };
type SendStep = { send: string };
type ReceiveStep = { receive: Record<string, Fact>; save?: Record<string, string> };
type CloseStep = { close: true };

/** A value that must be equal, or an object of one of these. */
export type Fact =
  | { $matches: string }
  | { $startsWith: string }
  | { $contains: string }
  | { $absent: true }
  | { $present: true }
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
