/** A WebSocket API with its one stage, compiled from the graph. */
export type CompiledWebSocketApi = {
  id: string;
  name: string;
  stage: string;
  variables: Record<string, string> | undefined;
  executionArn: string;
  /** The URL of the stage in AWS: `wss://…/{stage}`. */
  endpoint: string;
  /** Returns the route key that a message names, or undefined. */
  select: (body: unknown) => string | undefined;
  /** By route key: `$connect`, `$disconnect`, `$default`, or one of the API's own. */
  routes: Map<string, WebSocketRoute>;
};

export type WebSocketRoute = {
  key: string;
  functionArn: string;
  /** The readable name of the function, for logs. */
  functionName: string;
  /** Whether the graph lets the gateway invoke it. */
  isPermitted: boolean;
  timeoutMs: number;
  /** Only a route with a response sends the result of its function to the client. */
  hasResponse: boolean;
  authorization: ConnectAuthorization;
};

export type ConnectAuthorization =
  | { type: "NONE" }
  | { type: "AWS_IAM" }
  | { type: "CUSTOM"; functionArn: string; isPermitted: boolean; identitySources: string[] };
