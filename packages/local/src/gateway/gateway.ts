import type { IncomingMessage, ServerResponse } from "node:http";

import { createLambdaAuthorizers } from "./authorizer/lambda.ts";
import { compileUsage } from "./compile-usage.ts";
import { compile } from "./compile.ts";
import type { Stage } from "./definition.ts";
import type { Refused } from "./exchange.ts";
import { gatewayResponse } from "./gateway-response.ts";
import type { Parts } from "./parts.ts";
import { createPipeline } from "./pipeline.ts";
import { Refusal, reason } from "./refusal.ts";
import * as Request from "./request.ts";
import { write } from "./write.ts";
import { createUsage } from "./usage.ts";

export type { Parts } from "./parts.ts";

export type Gateway = {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Where each stage is: a path on this server, without a slash at its end. */
  stages: { apiName: string; stage: string; path: string }[];
};

/** The REST APIs of a graph, as API Gateway would serve them. */
export function createGateway(parts: Parts): Gateway {
  const stages = compile(parts);
  const byPath = addresses(stages);
  const run = createPipeline({
    usage: createUsage(compileUsage(parts), parts.clock),
    lambdas: createLambdaAuthorizers(parts),
    parts,
  });

  return {
    stages: [...byPath].map(([path, { api, name }]) => ({ apiName: api.name, stage: name, path })),

    async handle(req, res) {
      const started = performance.now();
      const target = Request.locate(req.url ?? "/", byPath);
      const exchange = Request.open(req, res, target, parts);
      try {
        const answer = await run(req, exchange);
        await write(answer, exchange, req, res);
      } catch (error) {
        await refuse(error, exchange, req, res);
      }
      parts.log.request({
        method: exchange.httpMethod,
        path: exchange.fullPath,
        // nginx's word for a client that left before the answer
        status: res.headersSent ? res.statusCode : 499,
        ms: performance.now() - started,
        requestId: exchange.requestId,
        function: exchange.called,
      });
    },
  };

  async function refuse(
    error: unknown,
    exchange: Refused,
    req: IncomingMessage,
    res: ServerResponse,
  ) {
    if (res.headersSent || res.destroyed) return void res.destroy();
    const refusal =
      error instanceof Refusal ? error : new Refusal("API_CONFIGURATION_ERROR", { cause: error });
    if (refusal.cause !== undefined && refusal.status >= 500)
      parts.log.warn(`${exchange.httpMethod} ${exchange.fullPath}: ${reason(refusal.cause)}`, {
        requestId: exchange.requestId,
      });
    await write(gatewayResponse(refusal, exchange), exchange, req, res);
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
