import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { APIGatewayProxyEvent } from "aws-lambda";

import * as Deadline from "./deadline.ts";
import { type Answer, type Wish, answer } from "./serve-image.ts";
import * as ProblemResponse from "./problem-response.ts";

/** GET and HEAD /i/{id}, /i/{id}/{rev}, /i/{id}/{preset} and /i/{id}/{rev}/{preset}. */
export const handler = awslambda.streamifyResponse<APIGatewayProxyEvent>(
  async (event, stream, context) => {
    const { requestId } = event.requestContext;
    const until = Deadline.after(context.getRemainingTimeInMillis());
    const { status, headers, body, store } = await answer(wish(event), until).catch(
      (error: unknown) => ProblemResponse.answer(error, requestId),
    );
    const out = awslambda.HttpResponseStream.from(stream, { statusCode: status, headers });
    try {
      await write(out, event.httpMethod === "HEAD" ? undefined : body);
    } finally {
      // whether or not the client has its picture, the process would be frozen before its copy is stored
      await store?.();
      await Deadline.endIfBusy();
    }
  },
);

function wish(event: APIGatewayProxyEvent): Wish {
  const header = (name: string) =>
    Object.entries(event.multiValueHeaders ?? {})
      .find(([key]) => key.toLowerCase() === name)?.[1]
      ?.join(", ");
  const { id = "", rev, preset } = event.pathParameters ?? {};
  return {
    id,
    // no preset is called like a revision
    ...(preset === undefined && rev !== undefined && !/^[0-9a-f]{12}$/.test(rev)
      ? { rev: undefined, preset: rev }
      : { rev, preset }),
    host: header("host") ?? "",
    query: event.multiValueQueryStringParameters ?? {},
    isHead: event.httpMethod === "HEAD",
    accept: header("accept"),
    ifNoneMatch: header("if-none-match"),
    range: header("range"),
    ifRange: header("if-range"),
  };
}

async function write(out: NodeJS.WritableStream, body: Answer["body"]) {
  if (body instanceof Readable) return pipeline(body, out);
  // status and headers leave with the first write, even of nothing; an end alone sends neither:
  // https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/HttpResponseStream.js
  out.write(body ?? "");
  return new Promise<void>((resolve, reject) => {
    out.once("error", reject);
    out.end(resolve);
  });
}
