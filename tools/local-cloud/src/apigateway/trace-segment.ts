import * as TraceHeader from "../xray/trace-header.ts";
import { type Subsegment, type Segment, errorFlagsOf, toSeconds } from "../xray/segment.ts";
import type { BackendCall, PartialRequestContext } from "./types.ts";
import type { RequestOutcome } from "./request-outcome.ts";

/** Returns the trace segment of a stage, or undefined if the request is not sampled. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html */
export function segmentOf(
  context: PartialRequestContext,
  outcome: RequestOutcome,
  { region, account }: { region: string; account: string },
): Segment | undefined {
  const { stage, trace, requestId, extendedRequestId, identity } = context;
  if (!stage || !trace.isSampled || !TraceHeader.isRoot(trace.root)) return undefined;
  const { api, name } = stage;
  return {
    trace_id: trace.root,
    ...(TraceHeader.isId(trace.parentId) && { parent_id: trace.parentId }),
    id: trace.id,
    name: `${api.name}/${name}`,
    origin: "AWS::ApiGateway::Stage",
    resource_arn: `arn:aws:apigateway:${region}::/restapis/${api.id}/stages/${name}`,
    start_time: toSeconds(outcome.startedAtMs),
    end_time: toSeconds(outcome.endedAtMs),
    http: {
      request: {
        method: context.httpMethod,
        // without the query, which in a presigned URL is a credential
        url: `http://${context.header("host") ?? ""}${context.fullPath}`,
        client_ip: identity.sourceIp,
        ...(identity.userAgent && { user_agent: identity.userAgent }),
      },
      response: { status: outcome.status, content_length: outcome.bytes },
    },
    aws: {
      api_gateway: {
        account_id: account,
        rest_api_id: api.id,
        stage: name,
        request_id: requestId,
        extended_request_id: extendedRequestId,
      },
    },
    annotations: { "aws:api_id": api.id, "aws:api_stage": name },
    ...errorFlagsOf(outcome.status),
    // S3 records its own segment
    subsegments: context.backendCalls
      .filter(({ service }) => service !== "S3")
      .map((call) => subsegmentOf(call, outcome, region)),
  };
}

function subsegmentOf(
  call: BackendCall,
  { endedAtMs }: RequestOutcome,
  region: string,
): Subsegment {
  const { id, service, functionArn, requestId, status } = call;
  return {
    id,
    name: service,
    namespace: service === "HTTP" ? "remote" : "aws",
    start_time: toSeconds(call.startedAtMs),
    end_time: toSeconds(call.endedAtMs ?? endedAtMs),
    http: { response: { ...(status !== undefined && { status }) } },
    ...(functionArn && {
      aws: {
        region,
        operation: "Invoke",
        function_name: functionArn.split(":")[6],
        request_id: requestId,
        resource_names: [functionArn.split(":")[6]],
      },
    }),
    // timed out
    ...(status === undefined ? { fault: true } : errorFlagsOf(status)),
  };
}
