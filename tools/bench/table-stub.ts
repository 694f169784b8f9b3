import { loopback } from "./loopback.ts";

/** A DynamoDB with nothing in it: what a first read costs the reader, without the time of a database. */
export const answerNothing = () =>
  loopback((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end("{}");
    });
  });
