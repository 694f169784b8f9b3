import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import { StartError } from "./start-error.ts";

/** Binds to loopback only: everything here accepts made-up credentials. Answers the port; 0 takes a free one. */
export async function listen(server: Server, port: number, what: string): Promise<number> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new StartError(
        `Port ${port} (${what}) is taken by another program: choose others with --port.`,
        { cause: error },
      );
    }
    if (code === "EACCES") {
      throw new StartError(
        `Port ${port} (${what}) is not open to this user: choose others with --port.`,
        { cause: error },
      );
    }
    throw error;
  }
  return (server.address() as AddressInfo).port;
}

export async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}
