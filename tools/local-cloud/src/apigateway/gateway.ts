import type { IncomingMessage, ServerResponse } from "node:http";

import { realTimeMs } from "../xray/segment.ts";
import { createLambdaAuthorizers } from "./authorizer/lambda.ts";
import { openAccessLogs } from "./access-log-files.ts";
import { compileUsage } from "./compile-usage-plans.ts";
import { compile } from "./compile.ts";
import type { Stage } from "./compiled-api.ts";
import type { PartialRequestContext } from "./request-context.ts";
import { gatewayResponse } from "./gateway-response.ts";
import type { RequestOutcome } from "./request-outcome.ts";
import type { Dependencies } from "./dependencies.ts";
import { createPipeline } from "./pipeline.ts";
import { GatewayError, describeCause } from "./gateway-error.ts";
import * as IncomingRequest from "./incoming-request.ts";
import { segmentOf } from "./trace-segment.ts";
import { writeResponse } from "./write-response.ts";
import { createUsagePlans } from "./usage-plans.ts";

export type { Dependencies as Parts } from "./dependencies.ts";

export type Gateway = {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Writes the access logs out. */
  stop(): void;
  /** Where each stage is: a path on this server, without a slash at its end. */
  stages: { apiName: string; stage: string; path: string }[];
};

/** The REST APIs of a graph, as API Gateway would serve them. */
export function createGateway(dependencies: Dependencies): Gateway {
  const stages = compile(dependencies);
  const byPath = addresses(stages);
  const accessLogs = openAccessLogs(stages, dependencies);
  const run = createPipeline({
    usage: createUsagePlans(compileUsage(dependencies), dependencies.clock),
    lambdas: createLambdaAuthorizers(dependencies),
    dependencies,
  });

  return {
    stages: [...byPath].map(([path, { api, name }]) => ({ apiName: api.name, stage: name, path })),

    stop: () => accessLogs.stop(),

    async handle(req, res) {
      const startedAtMs = realTimeMs();
      const target = IncomingRequest.parseTarget(req.url ?? "/", byPath);
      const context = IncomingRequest.createContext(req, res, target, dependencies);
      let bytes = 0;
      let gatewayError: GatewayError | undefined;
      try {
        const answer = await run(req, context);
        bytes = await writeResponse(answer, context, req, res);
      } catch (error) {
        gatewayError =
          error instanceof GatewayError
            ? error
            : new GatewayError("API_CONFIGURATION_ERROR", { cause: error });
        bytes = await refuse(gatewayError, context, req, res);
      }
      // nginx's word for a client that left before the answer
      const status = res.headersSent ? res.statusCode : 499;
      tell(context, {
        status,
        bytes,
        startedAtMs,
        endedAtMs: realTimeMs(),
        gatewayError,
      });
    },
  };

  function tell(context: PartialRequestContext, outcome: RequestOutcome) {
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

  async function refuse(
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
    return writeResponse(gatewayResponse(gatewayError, context), context, req, res);
  }
}

/** `/{stage}` while that names one stage; two APIs with stages of the same name go by their ids. */
function addresses(stages: Stage[]): Map<string, Stage> {
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
