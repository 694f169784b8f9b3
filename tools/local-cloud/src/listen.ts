import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import { StartError } from "./start-error.ts";

/**
 * Listens on the loopback address only, because the credentials of a local cloud are no secret. Returns the port; 0 takes a
 * free one.
 * @throws StartError when the port is in use or not allowed.
 */
export async function listen(server: Server, port: number, what: string): Promise<number> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new StartError(
        `Port ${port} (${what}) is in use by another program: choose others with --port.`,
        { cause: error },
      );
    }
    if (code === "EACCES") {
      throw new StartError(
        `Port ${port} (${what}) is not allowed for this user: choose others with --port.`,
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
