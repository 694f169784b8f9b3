/** Returns the event of API Gateway for a GET. */
export const gatewayEvent = (
  { pathname, searchParams }: URL,
  pathParameters: Record<string, string> | null = null,
) => {
  const query = [...searchParams.keys()].map((key) => [key, searchParams.getAll(key)]);
  return {
    resource: pathname,
    path: pathname,
    httpMethod: "GET",
    headers: { Accept: "*/*" },
    multiValueHeaders: { Accept: ["*/*"] },
    queryStringParameters: null,
    multiValueQueryStringParameters: query.length ? Object.fromEntries(query) : null,
    pathParameters,
    stageVariables: null,
    requestContext: {
      authorizer: { claims: { sub: "11111111-2222-4333-8444-555555555555" } },
      domainName: "localhost",
      httpMethod: "GET",
      identity: {},
      path: `/bench${pathname}`,
      requestId: "bench",
      stage: "bench",
    },
    body: null,
    isBase64Encoded: false,
  };
};
