import type { Clock } from "../clock.ts";
import type { UserPools } from "../cognito/cognito.ts";
import type { Principals } from "../iam/principals.ts";
import type { AsynchronousEvents } from "../lambda/asynchronous/event-store.ts";
import type { InvokeResult } from "../lambda/invoke-result.ts";
import type { InvokeOptions } from "../lambda/invocation.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import type { TraceStore } from "../xray/trace-store.ts";

/** The other services of the local cloud that the gateway uses. */
export type Dependencies = {
  graph: ResourceGraph;
  functions: { invoke: Invoke };
  /** Takes events of asynchronous invocations. */
  asynchronous: Pick<AsynchronousEvents, "accept">;
  principals: Principals;
  /** Absent when the graph has no user pool. */
  userPools: Pick<UserPools, "verify"> | undefined;
  /** Of S3, absent when the graph has no bucket. */
  endpoints: { s3: string | undefined };
  clock: Clock;
  log: Log;
  /** Returns the value of `secret://name`, for API keys whose value AWS would generate. */
  secret?: (name: string) => string;
  /** Undefined if tracing is off. */
  traces?: TraceStore | undefined;
  /** The folder of the access logs; undefined if they are off. */
  logFolder?: string;
};

type Invoke = (
  functionArn: string,
  payload: string,
  options?: InvokeOptions,
) => Promise<InvokeResult>;
