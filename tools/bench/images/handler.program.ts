import { Writable } from "node:stream";

// Runs the bundle of `Deliver` as Lambda does, without a gateway: one event per message.

const [bundle = ""] = process.argv.slice(2);
const [file = "", name = ""] = bundle.split("#");

type Job = { id: number; event: object };
type Handler = (event: object, stream: Writable, context: object) => Promise<void>;

// what Lambda's runtime provides to functions that stream
const runtime = {
  streamifyResponse: (handler: Handler) => handler,
  HttpResponseStream: {
    from: (stream: Writable, { statusCode }: { statusCode: number }) =>
      Object.assign(stream, { statusCode }),
  },
};
Object.assign(globalThis, { awslambda: runtime });
const { [name]: handler } = (await import(file)) as Record<string, Handler>;

process.on("message", ({ id, event }: Job) => {
  const start = performance.now();
  let firstByteMs: number | undefined;
  let bytes = 0;
  const stream = new Writable({
    write(piece: Buffer, _encoding, done) {
      firstByteMs ??= performance.now() - start;
      bytes += piece.length;
      done();
    },
    final(done) {
      // the derivative is stored after this, as in AWS
      const { statusCode: status } = stream as { statusCode?: number };
      process.send?.({ type: "sent", id, bytes, firstByteMs, status });
      done();
    },
  });
  void handler!(event, stream, { getRemainingTimeInMillis: () => 25_000 }).then(() =>
    process.send?.({ type: "stored", id }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
