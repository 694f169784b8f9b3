import type { APIGatewayProxyEvent } from "aws-lambda";

import * as Deadline from "./deadline.ts";
import * as DeliveryRequest from "./delivery-request.ts";
import * as DeliveryResponse from "./delivery-response.ts";
import * as ProblemResponse from "./problem-response.ts";
import { serveImage } from "./serve-image.ts";

/** GET and HEAD of `/i/{id}`, `/i/{id}/{rev}`, `/i/{id}/{preset}` and `/i/{id}/{rev}/{preset}`. */
export const handler = awslambda.streamifyResponse<APIGatewayProxyEvent>(
  async (event, stream, context) => {
    const request = DeliveryRequest.fromEvent(event);
    const deadline = Deadline.fromRemaining(context.getRemainingTimeInMillis());
    const { status, headers, body, afterSent } = await serveImage(request, deadline).catch(
      (error: unknown) => ProblemResponse.create(error, event.requestContext.requestId),
    );
    const out = awslambda.HttpResponseStream.from(stream, { statusCode: status, headers });
    try {
      await DeliveryResponse.write(out, request.isHead ? undefined : body);
    } finally {
      // also when the client has left: Lambda freezes the process when this function returns
      await afterSent?.();
      await Deadline.endProcessIfBusy();
    }
  },
);
