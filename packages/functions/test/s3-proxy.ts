import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** Runs the work with a proxy before S3, which counts requests and the bytes that are read, and can hold a request back. Nothing that is signed changes. */
export async function withS3Proxy<T>(
  work: (proxy: S3Proxy) => Promise<T>,
  holdUntil?: (path: string) => Promise<void> | undefined,
): Promise<T> {
  const endpoint = process.env["AWS_ENDPOINT_URL_S3"]!;
  const proxy = await startS3Proxy(endpoint, holdUntil);
  process.env["AWS_ENDPOINT_URL_S3"] = proxy.url;
  try {
    return await work(proxy);
  } finally {
    process.env["AWS_ENDPOINT_URL_S3"] = endpoint;
    await proxy.stop();
  }
}

type S3Proxy = {
  url: string;
  /** How many bytes were read of objects whose path contains this. */
  bytesRead(part: string): number;
  /** How many requests there were. */
  requests(): number;
};

export async function startS3Proxy(
  endpoint: string,
  holdUntil: (path: string) => Promise<void> | undefined = () => undefined,
) {
  const read = new Map<string, number>();
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    requests += 1;
    void forward(incoming, outgoing);
  });
  async function forward(incoming: IncomingMessage, outgoing: ServerResponse) {
    const { pathname } = new URL(incoming.url!, endpoint);
    await holdUntil(pathname);
    const forwarded = request(
      new URL(incoming.url!, endpoint),
      { method: incoming.method, headers: incoming.headers },
      (response: IncomingMessage) => {
        outgoing.writeHead(response.statusCode!, response.headers);
        if (incoming.method === "GET")
          response.on("data", ({ length }: Buffer) =>
            read.set(pathname, (read.get(pathname) ?? 0) + length),
          );
        response.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytesRead: (part: string) =>
      [...read].filter(([path]) => path.includes(part)).reduce((sum, [, bytes]) => sum + bytes, 0),
    requests: () => requests,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
