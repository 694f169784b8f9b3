// https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
const CONSTANT = /^'.*'$/s;
const COMMON = String.raw`context\..+|stageVariables\.\w+`;
const FROM_REQUEST = String.raw`method\.request\.(?:(?:multivalue)?(?:header|querystring)|path)\..+`;
const BODY = String.raw`body(?:[.[].+)?`;

const request = {
  to: /^integration\.request\.(?:header|querystring|path)\..+$/,
  from: new RegExp(`^(?:${COMMON}|${FROM_REQUEST}|method\\.request\\.${BODY})$`, "s"),
};
const response = {
  to: /^method\.response\.header\..+$/,
  from: new RegExp(
    `^(?:${COMMON}|integration\\.response\\.(?:(?:multivalue)?header\\..+|${BODY}))$`,
    "s",
  ),
};
const gatewayResponse = {
  to: /^gatewayresponse\.header\..+$/,
  from: new RegExp(`^(?:${COMMON}|${FROM_REQUEST})$`, "s"),
};

type Parameters = Record<string, string>;

/** Returns request mappings. @throws Error if AWS would refuse one: an invalid expression, or a parameter that the method does not declare. */
export function requestMappings(parameters: Parameters, declared: object): [string, string][] {
  const names = new Set(Object.keys(declared).map(single));
  return Object.entries(parameters).map(([target, source]) => {
    check(target, source, request);
    if (new RegExp(`^${FROM_REQUEST}$`, "s").test(source) && !names.has(single(source)))
      throw new Error(`${target} is mapped from ${source}, which the method does not declare`);
    return [target, source];
  });
}

export const responseMappings = (parameters: Parameters): [string, string][] =>
  checked(parameters, response);

export const gatewayResponseMappings = (parameters: Parameters): [string, string][] =>
  checked(parameters, gatewayResponse);

function checked(parameters: Parameters, rules: typeof response): [string, string][] {
  for (const [target, source] of Object.entries(parameters)) check(target, source, rules);
  return Object.entries(parameters);
}

function check(target: string, source: string, { to, from }: typeof response) {
  if (!to.test(target)) throw new Error(`${target} is not a valid target of a mapping`);
  if (!CONSTANT.test(source) && !from.test(source))
    throw new Error(`${target} is mapped from ${source}, which is not a mapping expression`);
}

/** Returns the declared name: the same for all values and the last value, and for a header in any case. */
const single = (expression: string) => {
  const name = expression.replace(".multivalue", ".");
  return name.startsWith("method.request.header.") ? name.toLowerCase() : name;
};
