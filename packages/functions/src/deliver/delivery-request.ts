import type { APIGatewayProxyEvent } from "aws-lambda";

/** A GET or HEAD of an image, as HTTP says it. */
export type DeliveryRequest = {
  host: string;
  id: string;
  rev: string | undefined;
  preset: string | undefined;
  /** A key that is given twice has two values. */
  query: Record<string, string[] | undefined>;
  isHead: boolean;
  accept: string | undefined;
  ifNoneMatch: string | undefined;
  range: string | undefined;
  ifRange: string | undefined;
};

/** The request in an event of API Gateway: `/i/{id}`, `/i/{id}/{rev}`, `/i/{id}/{preset}` or `/i/{id}/{rev}/{preset}`. */
export function fromEvent(event: APIGatewayProxyEvent): DeliveryRequest {
  const header = (name: string) =>
    Object.entries(event.multiValueHeaders ?? {})
      .find(([key]) => key.toLowerCase() === name)?.[1]
      ?.join(", ");
  const { id = "", rev, preset } = event.pathParameters ?? {};
  // one segment after the id is a revision or a preset; the name of a preset never looks like a revision
  const isPreset = preset === undefined && rev !== undefined && !/^[0-9a-f]{12}$/.test(rev);
  return {
    id,
    ...(isPreset ? { rev: undefined, preset: rev } : { rev, preset }),
    host: header("host") ?? "",
    query: event.multiValueQueryStringParameters ?? {},
    isHead: event.httpMethod === "HEAD",
    accept: header("accept"),
    ifNoneMatch: header("if-none-match"),
    range: header("range"),
    ifRange: header("if-range"),
  };
}
