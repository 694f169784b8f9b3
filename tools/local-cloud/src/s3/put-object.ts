import * as Payload from "./payload.ts";
import type { Action } from "./types.ts";
import * as ObjectHeaders from "./object-headers.ts";
import {
  assertWriteAllowed,
  commitObject,
  draftOfPayload,
  storedHeaders,
} from "./commit-object.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export const putObject: Action = async (s3, call) => {
  assertWriteAllowed(s3, call);
  const headers = ObjectHeaders.fromHeaders(call.headers);
  const { source, claim } = Payload.open(call);
  const received = await Payload.receive(s3, source, claim);
  const version = commitObject(s3, call, draftOfPayload(received, headers), "ObjectCreated:Put");
  return { headers: storedHeaders(call, version) };
};
