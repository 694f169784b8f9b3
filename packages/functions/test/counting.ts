import { once } from "node:events";
import { type IncomingMessage, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands before a store and counts the bytes of bodies that are read from it, by path. Nothing else is changed, so signatures hold. */
export async function counting(endpoint: string) {
  const read = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url!, endpoint);
    const forwarded = request(
      new URL(incoming.url!, endpoint),
      { method: incoming.method, headers: incoming.headers },
      (answer: IncomingMessage) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        if (incoming.method === "GET")
          answer.on("data", ({ length }: Buffer) =>
            read.set(pathname, (read.get(pathname) ?? 0) + length),
          );
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Of objects whose key has this in it. */
    bytes: (part: string) =>
      [...read].filter(([path]) => path.includes(part)).reduce((sum, [, bytes]) => sum + bytes, 0),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
