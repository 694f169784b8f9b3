import { Writable } from "node:stream";

// `Deliver`'s bundle as Lambda would run it, without a gateway before it: one event after the other, by message.

const [bundle = ""] = process.argv.slice(2);
const [file = "", name = ""] = bundle.split("#");

type Order = { id: number; event: object };
type Handler = (event: object, stream: Writable, context: object) => Promise<void>;

// what Lambda's runtime gives to functions that stream
const runtime = {
  streamifyResponse: (handler: Handler) => handler,
  HttpResponseStream: {
    from: (stream: Writable, { statusCode }: { statusCode: number }) =>
      Object.assign(stream, { statusCode }),
  },
};
Object.assign(globalThis, { awslambda: runtime });
const { [name]: handler } = (await import(file)) as Record<string, Handler>;

process.on("message", ({ id, event }: Order) => {
  let bytes = 0;
  const stream = new Writable({
    write(piece: Buffer, _encoding, done) {
      bytes += piece.length;
      done();
    },
    final(done) {
      // the copy is stored after this, as it is while another process has the next event
      process.send?.({ id, bytes, status: (stream as { statusCode?: number }).statusCode });
      done();
    },
  });
  void handler!(event, stream, { getRemainingTimeInMillis: () => 25_000 });
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
