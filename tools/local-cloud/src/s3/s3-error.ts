import * as Xml from "./xml.ts";

/** An error response with S3's code and message. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export class S3Error extends Error {
  readonly code: keyof typeof statusOf;
  readonly detail: Record<string, string>;
  readonly headers: Record<string, string>;

  constructor(
    code: keyof typeof statusOf,
    message: string,
    detail: Record<string, string> = {},
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = "Fault";
    this.code = code;
    this.detail = detail;
    this.headers = headers;
  }

  get status() {
    return statusOf[this.code];
  }
}

/** The XML document of an error response. */
export const document = (fault: S3Error, requestId: string, hostId: string) =>
  Xml.document("Error", [
    Xml.element("Code", fault.code),
    Xml.element("Message", fault.message),
    ...Object.entries(fault.detail).map(([name, value]) => Xml.element(name, value)),
    Xml.element("RequestId", requestId),
    Xml.element("HostId", hostId),
  ]);

const statusOf = {
  AccessControlListNotSupported: 400,
  AccessDenied: 403,
  AccessForbidden: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidPolicyDocument: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedPOSTRequest: 400,
  MalformedXML: 400,
  MaxPostPreDataLengthExceeded: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
} as const;

export const noSuchKey = (key: string, headers?: Record<string, string>) =>
  new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key }, headers);

export const notImplemented = (what: string) =>
  new S3Error(
    "NotImplemented",
    `A header or query you provided implies functionality that is not implemented: ${what}`,
  );

export const preconditionFailed = (condition: string) =>
  new S3Error(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    {
      Condition: condition,
    },
  );
