import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { WebSocket } from "ws";

import type { ConnectStep, SendStep } from "./case.ts";

export type Socket = {
  send(step: SendStep): Promise<void>;
  /** Returns the oldest message that was not returned yet; waits for one if there is none. */
  next(): Promise<string>;
  close(): Promise<void>;
  /** Returns the close code once the connection is closed. */
  closed(): Promise<number>;
  /** Drops the connection without a closing handshake. */
  end(): void;
};

const WAIT_MS = 10_000;

/** Opens a connection. Returns it and what is wrong with the response to its handshake. */
export async function connect({
  connect: url,
  headers = {},
  protocols = [],
  ...expected
}: ConnectStep) {
  const client = new WebSocket(url, protocols, { headers });
  const inbox: string[] = [];
  let code: number | undefined;
  client.on("message", (data: Buffer) => inbox.push(data.toString("utf8")));
  client.on("close", (closeCode) => (code = closeCode));
  const status = await new Promise<number>((resolve, reject) => {
    client.once("open", () => resolve(101));
    client.once("unexpected-response", (_, response) => resolve(response.statusCode!));
    client.on("error", reject);
  });
  const wrong: string[] = [];
  if (status !== expected.status)
    wrong.push(`the handshake has the status ${status}, not ${expected.status}`);
  if (expected.protocol !== undefined && client.protocol !== expected.protocol)
    wrong.push(`the subprotocol is "${client.protocol}", not "${expected.protocol}"`);

  const socket: Socket = {
    async send(step) {
      if ("send" in step) return client.send(step.send);
      if ("sendBase64" in step) return client.send(Buffer.from(step.sendBase64, "base64"));
      const { sendCharacters, framesOf = sendCharacters } = step;
      for (let sent = 0; sent < sendCharacters; sent += framesOf) {
        const length = Math.min(framesOf, sendCharacters - sent);
        client.send("a".repeat(length), { fin: sent + length >= sendCharacters });
      }
    },
    next: () => poll("a message", () => inbox.shift()),
    async close() {
      client.close();
      if (code === undefined) await once(client, "close");
    },
    closed: () => poll("the end of the connection", () => code),
    end: () => client.terminate(),
  };
  return { socket, wrong };
}

async function poll<T>(what: string, read: () => T | undefined): Promise<T> {
  for (let waited = 0; ; waited += 20) {
    const value = read();
    if (value !== undefined) return value;
    if (waited >= WAIT_MS) throw new Error(`${what} did not come within ${WAIT_MS / 1000} seconds`);
    await sleep(20);
  }
}
