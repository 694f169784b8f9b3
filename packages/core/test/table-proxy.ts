import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

import * as AwsRequest from "../src/aws-request.ts";

type Listener = (incoming: IncomingMessage, response: ServerResponse) => unknown;

let table: string | undefined;

/** Puts a server between this process and the table until `stop` is called or the test is over. */
export async function withTableProxy(listener: Listener) {
  const server = createServer((incoming, response) => void listener(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  table ??= process.env["AWS_ENDPOINT_URL_DYNAMODB"]!;
  process.env["AWS_ENDPOINT_URL_DYNAMODB"] =
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => {
    process.env["AWS_ENDPOINT_URL_DYNAMODB"] = table;
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(stop);
  return stop;
}

/** The table's response to a request. */
export async function forward(incoming: IncomingMessage) {
  const body = await AwsRequest.readBody(incoming);
  const { method, url, headers } = incoming;
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    request(table + url!, { method, headers }, resolve)
      .on("error", reject)
      .end(body),
  );
  return { status: answer.statusCode!, body: await AwsRequest.readBody(answer) };
}

/** Lets the table make every request, and loses the answer of the `nth`, counted from 1. `meanwhile` runs before its repetition. */
export async function loseAnswer(nth: number, meanwhile?: () => Promise<unknown>) {
  let requests = 0;
  await withTableProxy(async (incoming, response) => {
    const number = ++requests;
    const { status, body } = await forward(incoming);
    if (number === nth) await meanwhile?.();
    if (number === nth) response.destroy();
    else response.writeHead(status).end(body);
  });
}
