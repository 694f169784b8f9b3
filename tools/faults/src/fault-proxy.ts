import { once } from "node:events";
import {
  Agent,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { type Call, type Service, describeCall } from "./aws-call.ts";
import { type Fault, type Kind, errorResponse, kinds } from "./fault.ts";
import { type FaultPlan, type Match, createFaultPlan, matches } from "./fault-plan.ts";

export { kinds };
export type { Call, Fault, Kind, Match, Service };

/** A call that was seen, and what went wrong with it. */
export type SeenCall = Call & { fault?: Fault["kind"] };

export type FaultProxy = Omit<FaultPlan, "next"> & {
  /**
   * Puts the proxy before a service and returns its address: the value for `AWS_ENDPOINT_URL_…`. The address of a service
   * that is not S3, DynamoDB or SQS is returned unchanged. It has the form of the local cloud's `functionEndpoint`.
   */
  before(service: string, url: string): Promise<string>;
  /** The calls that match, in the order of their arrival, since the start or the last `forget`. */
  calls(match?: Match): SeenCall[];
  /** Forgets the calls that were seen. */
  forget(): void;
  stop(): Promise<void>;
};

const DEFAULT_DELAY_MS = 200;

/**
 * Starts an HTTP proxy that makes calls to AWS's services fail. It passes everything on unchanged, the Host header too, so
 * that signatures stay valid and it needs no credentials. Without a rule nothing fails.
 */
export function createFaultProxy(): FaultProxy {
  const { next, ...plan } = createFaultPlan();
  const servers: Server[] = [];
  const agent = new Agent({ keepAlive: true });
  let seen: SeenCall[] = [];

  return {
    ...plan,
    async before(service, url) {
      if (!isService(service)) return url;
      const server = createServer((incoming, outgoing) => {
        handle(service, url, incoming, outgoing).catch(() => incoming.socket.destroy());
      });
      // longer than any SDK keeps an idle socket, so that no call fails that no rule made fail
      server.keepAliveTimeout = 75_000;
      servers.push(server);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    calls: (match = {}) => seen.filter((call) => matches(call, match)),
    forget() {
      seen = [];
    },
    async stop() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
        await once(server, "close");
      }
      agent.destroy();
    },
  };

  async function handle(
    service: Service,
    url: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ) {
    const body = service === "S3" ? undefined : await buffer(incoming);
    const call = describeCall(service, incoming, body ?? Buffer.alloc(0));
    const fault = next(call);
    seen.push({ ...call, ...(fault && { fault: fault.kind }) });
    const forward = () => send(agent, url, incoming, body);
    switch (fault?.kind) {
      case "drop":
        incoming.socket.destroy();
        return;
      case "error500":
      case "throttled":
        incoming.resume();
        return answer(outgoing, incoming, errorResponse(service, fault.kind));
      case "delay":
        await sleep(fault.ms ?? DEFAULT_DELAY_MS);
        return pass(await forward(), incoming, outgoing);
      case "hold":
        await fault.until(call);
        // a caller that has ended sends nothing any more
        if (!outgoing.destroyed) pass(await forward(), incoming, outgoing);
        return;
      case "lostAnswer":
      case "cut":
      case "stall":
        return breakOff(fault.kind, await forward(), incoming, outgoing);
      case undefined:
        return pass(await forward(), incoming, outgoing);
    }
  }
}

const isService = (name: string): name is Service => ["S3", "DYNAMODB", "SQS"].includes(name);

/** Resolves with the head of the service's response. */
function send(agent: Agent, url: string, incoming: IncomingMessage, body: Buffer | undefined) {
  const { method, headers } = incoming;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const forwarded = request(new URL(incoming.url!, url), { method, headers, agent }, resolve);
  forwarded.on("error", reject);
  // a caller that was killed in the middle of its request
  incoming.on("close", () => void (incoming.complete || forwarded.destroy()));
  if (body) forwarded.end(body);
  else incoming.pipe(forwarded);
  return promise;
}

function pass(response: IncomingMessage, incoming: IncomingMessage, outgoing: ServerResponse) {
  outgoing.writeHead(response.statusCode!, response.headers);
  response.on("error", () => outgoing.destroy());
  outgoing.on("close", () => response.destroy());
  // a response that did not wait for the body: the rest must be read, or the caller's next request never arrives
  outgoing.on("finish", () => {
    if (incoming.complete) return;
    incoming.unpipe().resume();
    response.destroy();
  });
  response.pipe(outgoing);
}

function answer(
  outgoing: ServerResponse,
  { method }: IncomingMessage,
  { status, headers, body }: ReturnType<typeof errorResponse>,
) {
  outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  outgoing.end(method === "HEAD" ? undefined : body);
}

/** Sends at most half of the response. */
async function breakOff(
  kind: "lostAnswer" | "cut" | "stall",
  response: IncomingMessage,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) {
  const body = await buffer(response);
  if (kind !== "lostAnswer" && body.length > 1) {
    const { "transfer-encoding": _, ...headers } = response.headers;
    outgoing.writeHead(response.statusCode!, { ...headers, "content-length": body.length });
    const half = body.subarray(0, Math.floor(body.length / 2));
    await new Promise<void>((resolve) => outgoing.write(half, () => resolve()));
  }
  // a stalled connection is closed by the caller
  if (kind !== "stall") incoming.socket.destroy();
}
