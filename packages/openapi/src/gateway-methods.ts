import { readFileSync } from "node:fs";

/** What the gateway requires: `user` is an ID token of Cognito, `key` an API key, `operator` an AWS signature. */
export type Auth = "anyone" | "user" | "key" | "operator";

/** A method of the REST API in `infra/stack.json`. */
export type GatewayMethod = {
  method: string;
  path: string;
  auth: Auth;
  /** Whether a function answers; otherwise the gateway itself does. */
  runsFunction: boolean;
};

type Resource = { id: string; type: string; inputs: Record<string, unknown> };

/** The methods in a stack file by path, without the preflights, which no client of the API calls. */
export function readGatewayMethods(stackFile: string): GatewayMethod[] {
  const { resources }: { resources: Resource[] } = JSON.parse(readFileSync(stackFile, "utf8"));
  const parts = new Map(
    resources
      .filter(({ type }) => type === "aws:apigateway/resource:Resource")
      .map(({ id, inputs }) => [id, inputs as { parentId: string; pathPart: string }]),
  );
  const path = (id: string): string => {
    const part = parts.get(id);
    return part ? `${path(part.parentId)}/${part.pathPart}` : "";
  };
  const proxied = new Set(
    resources
      .filter(({ inputs }) => inputs["type"] === "AWS_PROXY")
      .map(({ inputs }) => `${String(inputs["httpMethod"])} ${String(inputs["resourceId"])}`),
  );
  return resources
    .filter(({ type, inputs }) => type.endsWith(":Method") && inputs["httpMethod"] !== "OPTIONS")
    .map(({ inputs }) => ({
      method: String(inputs["httpMethod"]),
      path: path(String(inputs["resourceId"])),
      auth: auth(inputs),
      runsFunction: proxied.has(`${String(inputs["httpMethod"])} ${String(inputs["resourceId"])}`),
    }))
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

const key = ({ path, method }: GatewayMethod) => `${path} ${method}`;

function auth({ authorization, apiKeyRequired }: Resource["inputs"]): Auth {
  if (authorization === "COGNITO_USER_POOLS") return "user";
  if (authorization === "AWS_IAM") return "operator";
  return apiKeyRequired === true ? "key" : "anyone";
}
