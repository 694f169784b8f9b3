import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { WebSocket } from "ws";

import type { ConnectStep, SendStep } from "./case.ts";

export type Socket = {
  send(step: SendStep): Promise<void>;
  /** The oldest message that nobody has asked for, waited for if there is none. */
  next(): Promise<string>;
  close(): Promise<void>;
  /** The code with which the connection ended, once it has. */
  closed(): Promise<number>;
  end(): void;
};

const WAIT_MS = 10_000;

/** One connection as a client holds it, and what is wrong with the answer to its handshake. */
export async function connect({
  connect: url,
  headers = {},
  protocols = [],
  ...wanted
}: ConnectStep) {
  const client = new WebSocket(url, protocols, { headers });
  const inbox: string[] = [];
  let code: number | undefined;
  client.on("message", (data: Buffer) => inbox.push(data.toString("utf8")));
  client.on("close", (ended) => (code = ended));
  const status = await new Promise<number>((resolve, reject) => {
    client.once("open", () => resolve(101));
    client.once("unexpected-response", (_, response) => resolve(response.statusCode!));
    client.on("error", reject);
  });
  const wrong: string[] = [];
  if (status !== wanted.status)
    wrong.push(`the handshake was answered ${status}, not ${wanted.status}`);
  if (wanted.protocol !== undefined && client.protocol !== wanted.protocol)
    wrong.push(`the subprotocol is "${client.protocol}", not "${wanted.protocol}"`);

  const socket: Socket = {
    async send(step) {
      if ("send" in step) return client.send(step.send);
      if ("sendBase64" in step) return client.send(Buffer.from(step.sendBase64, "base64"));
      const { sendLetters, framesOf = sendLetters } = step;
      for (let sent = 0; sent < sendLetters; sent += framesOf) {
        const length = Math.min(framesOf, sendLetters - sent);
        client.send("a".repeat(length), { fin: sent + length >= sendLetters });
      }
    },
    next: () => until("a message", () => inbox.shift()),
    async close() {
      client.close();
      if (code === undefined) await once(client, "close");
    },
    closed: () => until("the end of the connection", () => code),
    end: () => client.terminate(),
  };
  return { socket, wrong };
}

async function until<T>(what: string, read: () => T | undefined): Promise<T> {
  for (let waited = 0; ; waited += 20) {
    const value = read();
    if (value !== undefined) return value;
    if (waited >= WAIT_MS) throw new Error(`${what} did not come within ${WAIT_MS / 1000} seconds`);
    await sleep(20);
  }
}
