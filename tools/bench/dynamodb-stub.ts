import { startLoopbackServer } from "./loopback-server.ts";

/** Starts an empty DynamoDB, to measure a first read without the time of a database. */
export const startEmptyDynamoDb = () =>
  startLoopbackServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end("{}");
    });
  });
