import type { Clock } from "../clock.ts";
import type { UserPools } from "../cognito/cognito.ts";
import type { Principals } from "../iam/principals.ts";
import type { AsynchronousEvents } from "../lambda/asynchronous/event-store.ts";
import type { InvokeResult } from "../lambda/invoke-result.ts";
import type { InvokeOptions } from "../lambda/invocation.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import type { TraceStore } from "../xray/trace-store.ts";

/** The dependencies of the cloud that a gateway speaks to. */
export type Dependencies = {
  graph: ResourceGraph;
  functions: { invoke: Invoke };
  /** Where events go for which nobody waits. */
  asynchronous: Pick<AsynchronousEvents, "accept">;
  principals: Principals;
  /** Absent when the graph has no user pool. */
  userPools: Pick<UserPools, "verify"> | undefined;
  /** Of S3, absent when the graph has no bucket. */
  endpoints: { s3: string | undefined };
  clock: Clock;
  log: Log;
  /** The values of `secret://name`, for API keys that AWS would have made up. */
  secret?: (name: string) => string;
  /** Where traces go; without it nothing is traced. */
  traces?: TraceStore | undefined;
  /** Where the access logs of the stages are kept; without it nowhere. */
  logFolder?: string;
};

type Invoke = (
  functionArn: string,
  payload: string,
  options?: InvokeOptions,
) => Promise<InvokeResult>;
