/** A part of a trace as X-Ray takes it: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html */
export type Segment = Part & {
  trace_id: string;
  parent_id?: string | undefined;
  /** Only of a part that is sent by itself, apart from its parent. */
  type?: "subsegment";
  origin?: string;
  resource_arn?: string;
  annotations?: Record<string, string>;
  /** Traces that this one goes on from, such as those of the messages of a batch. */
  links?: { trace_id: string; id: string }[];
};

export type Part = {
  id: string;
  name: string;
  /** Seconds since the epoch. */
  start_time: number;
  end_time: number;
  namespace?: "aws" | "remote";
  http?: {
    request?: { method?: string; url?: string; client_ip?: string; user_agent?: string };
    response?: { status?: number; content_length?: number };
  };
  aws?: Record<string, unknown>;
  /** The client's doing (4xx), ours (5xx), too many requests (429, which is an error too). */
  error?: boolean;
  fault?: boolean;
  throttle?: boolean;
  cause?: { exceptions: { id: string; message: string; type: string }[] };
  subsegments?: Part[];
};

/** Milliseconds since the epoch, finer than `Date.now()`; the real time, whatever the clock of the cloud says. */
export const wallMs = () => performance.timeOrigin + performance.now();

/** To the microsecond. */
export const seconds = (ms: number) => Math.round(ms * 1000) / 1e6;

export const judged = (status: number | undefined): Pick<Part, "error" | "fault" | "throttle"> => {
  if (status === undefined || status < 400) return {};
  if (status >= 500) return { fault: true };
  return status === 429 ? { error: true, throttle: true } : { error: true };
};
