import type { IncomingMessage, ServerResponse } from "node:http";

import { realTimeMs } from "../xray/segment.ts";
import { createLambdaAuthorizers } from "./authorizer/lambda.ts";
import { openAccessLogs } from "./access-logs.ts";
import { compileUsage } from "./compile-usage.ts";
import { compile } from "./compile.ts";
import type { Stage } from "./definition.ts";
import type { Refused } from "./request-context.ts";
import { gatewayResponse } from "./gateway-response.ts";
import type { Outcome } from "./outcome.ts";
import type { Parts } from "./dependencies.ts";
import { createPipeline } from "./pipeline.ts";
import { Refusal, reason } from "./refusal.ts";
import * as Request from "./request.ts";
import { segmentOf } from "./segment.ts";
import { write } from "./write-response.ts";
import { createUsage } from "./usage.ts";

export type { Parts } from "./dependencies.ts";

export type Gateway = {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Writes the access logs out. */
  stop(): void;
  /** Where each stage is: a path on this server, without a slash at its end. */
  stages: { apiName: string; stage: string; path: string }[];
};

/** The REST APIs of a graph, as API Gateway would serve them. */
export function createGateway(parts: Parts): Gateway {
  const stages = compile(parts);
  const byPath = addresses(stages);
  const accessLogs = openAccessLogs(stages, parts);
  const run = createPipeline({
    usage: createUsage(compileUsage(parts), parts.clock),
    lambdas: createLambdaAuthorizers(parts),
    parts,
  });

  return {
    stages: [...byPath].map(([path, { api, name }]) => ({ apiName: api.name, stage: name, path })),

    stop: () => accessLogs.stop(),

    async handle(req, res) {
      const started = realTimeMs();
      const target = Request.locate(req.url ?? "/", byPath);
      const exchange = Request.open(req, res, target, parts);
      let bytes = 0;
      let refusal: Refusal | undefined;
      try {
        const answer = await run(req, exchange);
        bytes = await write(answer, exchange, req, res);
      } catch (error) {
        refusal =
          error instanceof Refusal
            ? error
            : new Refusal("API_CONFIGURATION_ERROR", { cause: error });
        bytes = await refuse(refusal, exchange, req, res);
      }
      // nginx's word for a client that left before the answer
      const status = res.headersSent ? res.statusCode : 499;
      tell(exchange, { status, bytes, started, ended: realTimeMs(), refusal });
    },
  };

  function tell(exchange: Refused, outcome: Outcome) {
    accessLogs.write(exchange, outcome);
    const segment = parts.traces && segmentOf(exchange, outcome, parts.graph);
    if (segment) parts.traces?.record(segment);
    parts.log.request({
      method: exchange.httpMethod,
      path: exchange.fullPath,
      status: outcome.status,
      ms: outcome.ended - outcome.started,
      requestId: exchange.requestId,
      function: exchange.called,
      isCold: exchange.calls.some(({ isCold }) => isCold),
    });
  }

  async function refuse(
    refusal: Refusal,
    exchange: Refused,
    req: IncomingMessage,
    res: ServerResponse,
  ) {
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return 0;
    }
    if (refusal.cause !== undefined && refusal.status >= 500)
      parts.log.warn(`${exchange.httpMethod} ${exchange.fullPath}: ${reason(refusal.cause)}`, {
        requestId: exchange.requestId,
      });
    return write(gatewayResponse(refusal, exchange), exchange, req, res);
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
