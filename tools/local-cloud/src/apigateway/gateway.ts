import type { IncomingMessage, ServerResponse } from "node:http";

import { realTimeMs } from "../xray/segment.ts";
import { createAddressLimits } from "./address-limits.ts";
import { createLambdaAuthorizers } from "./authorizer/lambda.ts";
import { openAccessLogs } from "./access-log-files.ts";
import { compileUsage } from "./compile-usage-plans.ts";
import { compile } from "./compile.ts";
import type { HttpResponse, PartialRequestContext, Stage } from "./types.ts";
import { gatewayResponse } from "./gateway-response.ts";
import type { RequestOutcome } from "./request-outcome.ts";
import type { Dependencies } from "./dependencies.ts";
import { createPipeline } from "./pipeline.ts";
import { GatewayError, describeCause } from "./gateway-error.ts";
import * as IncomingRequest from "./incoming-request.ts";
import { segmentOf } from "./trace-segment.ts";
import { writeResponse } from "./write-response.ts";
import { createUsagePlans } from "./usage-plans.ts";

export type { Dependencies } from "./dependencies.ts";

export type Gateway = {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Closes the access logs. */
  stop(): void;
  /** The path of each stage on this server, without a trailing slash. */
  stages: { apiName: string; stage: string; path: string }[];
};

/** Returns a request handler that serves the graph's REST APIs as API Gateway would. @throws StartError that names everything that is not emulated. */
export function createGateway(dependencies: Dependencies): Gateway {
  const stages = compile(dependencies);
  const stageByPath = stagesByPath(stages);
  const accessLogs = openAccessLogs(stages, dependencies);
  const run = createPipeline({
    addressLimits: createAddressLimits(dependencies.graph, dependencies.clock),
    usage: createUsagePlans(compileUsage(dependencies), dependencies.clock),
    lambdas: createLambdaAuthorizers(dependencies),
    dependencies,
  });

  return {
    stages: [...stageByPath].map(([path, { api, name }]) => ({
      apiName: api.name,
      stage: name,
      path,
    })),

    stop: () => accessLogs.stop(),

    async handle(req, res) {
      const startedAtMs = realTimeMs();
      const target = IncomingRequest.parseTarget(req.url ?? "/", stageByPath);
      const context = IncomingRequest.createContext(req, res, target, dependencies);
      let bytes = 0;
      let gatewayError: GatewayError | undefined;
      try {
        const response = await run(req, context);
        bytes = await writeResponse(response, context, req, res);
      } catch (error) {
        gatewayError =
          error instanceof GatewayError
            ? error
            : new GatewayError("API_CONFIGURATION_ERROR", { cause: error });
        bytes = await sendGatewayError(gatewayError, context, req, res);
      }
      // nginx's status for a client that disconnected before the response
      const status = res.headersSent ? res.statusCode : 499;
      logRequest(context, {
        status,
        bytes,
        startedAtMs,
        endedAtMs: realTimeMs(),
        gatewayError,
      });
    },
  };

  function logRequest(context: PartialRequestContext, outcome: RequestOutcome) {
    accessLogs.write(context, outcome);
    const segment = dependencies.traces && segmentOf(context, outcome, dependencies.graph);
    if (segment) dependencies.traces?.record(segment);
    dependencies.log.request({
      method: context.httpMethod,
      path: context.fullPath,
      status: outcome.status,
      ms: outcome.endedAtMs - outcome.startedAtMs,
      requestId: context.requestId,
      function: context.functionName,
      isCold: context.backendCalls.some(({ isCold }) => isCold),
    });
  }

  async function sendGatewayError(
    gatewayError: GatewayError,
    context: PartialRequestContext,
    req: IncomingMessage,
    res: ServerResponse,
  ) {
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return 0;
    }
    if (gatewayError.cause !== undefined && gatewayError.status >= 500)
      dependencies.log.warn(
        `${context.httpMethod} ${context.fullPath}: ${describeCause(gatewayError.cause)}`,
        {
          requestId: context.requestId,
        },
      );
    const response = gatewayResponse(gatewayError, context);
    if (!context.stage) addStageHint(response, context.fullPath, [...stageByPath.keys()]);
    return writeResponse(response, context, req, res);
  }
}

/**
 * Names the stages in a header, because an address without one is a common mistake. The body stays AWS's, except for `/`
 * alone, which a person opens and a client of the API does not.
 */
function addStageHint(response: HttpResponse, path: string, stages: string[]) {
  const hint = `The address must begin with a stage. Stages of this server: ${stages.join(", ")}`;
  response.headers.push(["x-local-cloud-hint", hint]);
  if (path === "/") response.body = JSON.stringify({ message: "Forbidden", hint });
}

/** Returns the stages by path: `/{stage}`, or `/_apis/{api id}/{stage}` where several APIs have a stage of that name. */
function stagesByPath(stages: Stage[]): Map<string, Stage> {
  const names = Map.groupBy(stages, ({ name }) => name);
  return new Map(
    stages.map((stage) => [
      names.get(stage.name)!.length === 1
        ? `/${stage.name}`
        : `/_apis/${stage.api.id}/${stage.name}`,
      stage,
    ]),
  );
}
