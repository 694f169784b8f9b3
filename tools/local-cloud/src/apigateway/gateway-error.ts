/** An error that the gateway answers itself: the type of the gateway response and the values for its template. */
export class GatewayError extends Error {
  readonly type: GatewayResponseType;
  /** Null where API Gateway prints null. */
  readonly text: string | null;
  readonly errorType: string;
  readonly status: number;
  readonly validation: string | undefined;

  constructor(
    type: GatewayResponseType,
    options: {
      text?: string | null;
      errorType?: string;
      status?: number;
      validation?: string;
      cause?: unknown;
    } = {},
  ) {
    const [status, text, errorType] = DEFAULTS[type];
    super(options.text ?? text ?? type, { cause: options.cause });
    this.type = type;
    this.text = options.text === undefined ? text : options.text;
    this.errorType = options.errorType ?? errorType;
    this.status = options.status ?? status;
    this.validation = options.validation;
  }
}

/** Returns the 500 for a configuration error that API Gateway detects only when the method is called. */
export const configurationError = (why: string) =>
  new GatewayError("API_CONFIGURATION_ERROR", { cause: new Error(why) });

/** Returns the message of a cause. Any class but `Error` itself is a bug of the gateway, so it is returned with its stack. */
export const describeCause = (cause: unknown) => {
  if (!(cause instanceof Error)) return String(cause);
  return cause.constructor === Error ? cause.message : cause.stack;
};

export type GatewayResponseType = keyof typeof DEFAULTS;

// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html;
// texts and error types as third parties captured them from AWS: see the evidence in docs/gateway.md
const DEFAULTS = {
  ACCESS_DENIED: [403, "User is not authorized to access this resource", "AccessDeniedException"],
  API_CONFIGURATION_ERROR: [500, "Internal server error", "InternalServerErrorException"],
  AUTHORIZER_CONFIGURATION_ERROR: [500, null, "AuthorizerConfigurationException"],
  AUTHORIZER_FAILURE: [500, null, "AuthorizerConfigurationException"],
  BAD_REQUEST_BODY: [400, "Invalid request body", "BadRequestException"],
  BAD_REQUEST_PARAMETERS: [400, "Missing required request parameters", "BadRequestException"],
  EXPIRED_TOKEN: [
    403,
    "The security token included in the request is expired",
    "ExpiredTokenException",
  ],
  INTEGRATION_FAILURE: [
    504,
    "Network error communicating with endpoint",
    "InternalServerErrorException",
  ],
  INTEGRATION_TIMEOUT: [504, "Endpoint request timed out", "InternalServerErrorException"],
  INVALID_API_KEY: [403, "Forbidden", "ForbiddenException"],
  INVALID_SIGNATURE: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    "InvalidSignatureException",
  ],
  MISSING_AUTHENTICATION_TOKEN: [
    403,
    "Missing Authentication Token",
    "MissingAuthenticationTokenException",
  ],
  QUOTA_EXCEEDED: [429, "Limit Exceeded", "LimitExceededException"],
  REQUEST_TOO_LARGE: [413, "Request Too Long", "RequestTooLargeException"],
  RESOURCE_NOT_FOUND: [404, "Not Found", "NotFoundException"],
  THROTTLED: [429, "Too Many Requests", "TooManyRequestsException"],
  UNAUTHORIZED: [401, "Unauthorized", "UnauthorizedException"],
  UNSUPPORTED_MEDIA_TYPE: [415, "Unsupported Media Type", "BadRequestException"],
  WAF_FILTERED: [403, "Forbidden", "ForbiddenException"],
} as const satisfies Record<string, readonly [number, string | null, string]>;

export const GATEWAY_RESPONSE_TYPES = new Set<string>([
  ...Object.keys(DEFAULTS),
  "DEFAULT_4XX",
  "DEFAULT_5XX",
]);
