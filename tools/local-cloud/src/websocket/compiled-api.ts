/** A WebSocket API of the graph with its one stage. */
export type CompiledWebSocketApi = {
  id: string;
  name: string;
  stage: string;
  variables: Record<string, string> | undefined;
  executionArn: string;
  /** Where the stage is in AWS: `wss://…/{stage}`. */
  endpoint: string;
  /** The route key that a message names, or undefined when it names none. */
  select: (body: unknown) => string | undefined;
  /** By route key: `$connect`, `$disconnect`, `$default`, or one of the API's own. */
  routes: Map<string, WebSocketRoute>;
};

export type WebSocketRoute = {
  key: string;
  functionArn: string;
  /** What a person calls the function. */
  functionName: string;
  /** Whether the graph lets the gateway invoke it. */
  isPermitted: boolean;
  timeoutMs: number;
  /** Only a route with a response sends the client what its function returns. */
  hasResponse: boolean;
  authorization: ConnectAuthorization;
};

export type ConnectAuthorization =
  | { type: "NONE" }
  | { type: "AWS_IAM" }
  | { type: "CUSTOM"; functionArn: string; isPermitted: boolean; identitySources: string[] };
