import type { IncomingMessage } from "node:http";

/** The whole body, or of one over `limit` so much that it can be told. By events: an iterator costs more than all the rest of a small request. */
export function readAll(body: IncomingMessage, limit = Infinity): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    body.on("data", (chunk: Buffer) => {
      if (size <= limit) chunks.push(chunk);
      size += chunk.length;
    });
    body.once("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    body.once("error", reject);
    body.once("close", () => reject(new Error("The other side went away in the middle")));
  });
}
