/** A segment document of X-Ray: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html */
export type Segment = Subsegment & {
  trace_id: string;
  parent_id?: string | undefined;
  /** Only for a subsegment that is sent separately from its parent. */
  type?: "subsegment";
  origin?: string;
  resource_arn?: string;
  annotations?: Record<string, string>;
  /** Traces that this one continues, such as those of the messages of a batch. */
  links?: { trace_id: string; id: string }[];
};

export type Subsegment = {
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
  /** `error` for 4xx, `fault` for 5xx, `throttle` for 429, which is an error too. */
  error?: boolean;
  fault?: boolean;
  throttle?: boolean;
  cause?: { exceptions: { id: string; message: string; type: string }[] };
  subsegments?: Subsegment[];
};

/** Returns the real time in milliseconds since the epoch with fractions; the virtual clock does not change it. */
export const realTimeMs = () => performance.timeOrigin + performance.now();

/** Rounds to a microsecond. */
export const toSeconds = (ms: number) => Math.round(ms * 1000) / 1e6;

export const errorFlagsOf = (
  status: number | undefined,
): Pick<Subsegment, "error" | "fault" | "throttle"> => {
  if (status === undefined || status < 400) return {};
  if (status >= 500) return { fault: true };
  return status === 429 ? { error: true, throttle: true } : { error: true };
};
