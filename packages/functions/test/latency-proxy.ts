import { once } from "node:events";
import { Agent, type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** A request to a service of AWS; times in milliseconds on the clock of `performance.now()`. */
export type Call = { what: string; start: number; end: number };

export type LatencyProxy = {
  /** Puts the proxy before a service and returns its URL. Each request is answered at least `latencyMs()` later. */
  before(url: string, latencyMs: () => number): Promise<string>;
  /** The requests since the last call of this function, in the order of their start. */
  takeCalls(): Call[];
  stop(): Promise<void>;
};

/** An HTTP proxy that makes services of AWS as distant as they are. What is signed does not change. */
export function createLatencyProxy(): LatencyProxy {
  const agent = new Agent({ keepAlive: true });
  const servers: ReturnType<typeof createServer>[] = [];
  let calls: Call[] = [];

  async function handle(
    url: string,
    latencyMs: () => number,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ) {
    const call = { what: describe(incoming), start: performance.now(), end: Infinity };
    calls.push(call);
    const waiting = sleep(latencyMs());
    const { method, headers } = incoming;
    const forwarded = request(new URL(incoming.url!, url), { method, headers, agent });
    forwarded.end(await buffer(incoming));
    const [response] = (await once(forwarded, "response")) as [IncomingMessage];
    await waiting;
    call.end = performance.now();
    outgoing.writeHead(response.statusCode!, response.headers);
    outgoing.on("close", () => response.destroy());
    response.pipe(outgoing);
  }

  return {
    async before(url, latencyMs) {
      const server = createServer(
        (incoming, outgoing) =>
          void handle(url, latencyMs, incoming, outgoing).catch(() => outgoing.destroy()),
      );
      servers.push(server);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    takeCalls() {
      const taken = calls;
      calls = [];
      return taken;
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
}

const describe = ({ method, url, headers }: IncomingMessage) => {
  const action = headers["x-amz-target"];
  return action ? String(action).replace(/^.*\./, "") : `${method} ${url?.split("?")[0]}`;
};

/** The longest chain of requests of which each started after the answer to the one before it: how often a client waited for AWS, one wait after the other. */
export function sequentialCalls(calls: readonly Call[]): string[] {
  const chains: { call: Call; chain: string[] }[] = [];
  for (const call of calls.toSorted((a, b) => a.start - b.start)) {
    const before = chains
      .filter((other) => other.call.end <= call.start)
      .toSorted((a, b) => b.chain.length - a.chain.length)[0];
    chains.push({ call, chain: [...(before?.chain ?? []), call.what] });
  }
  return chains.reduce<string[]>(
    (longest, { chain }) => (chain.length > longest.length ? chain : longest),
    [],
  );
}
