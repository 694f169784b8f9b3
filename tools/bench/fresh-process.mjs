// Plain JavaScript, because the time of node's type stripper would be in every number.
const [, , bundle, event] = process.argv;
const [file, name] = bundle.split("#");

// what Lambda's runtime provides to functions that stream
globalThis.awslambda = {
  streamifyResponse: (handler) => async (event, context) => {
    const { PassThrough } = await import("node:stream");
    const stream = new PassThrough();
    stream.resume();
    await handler(event, stream, context);
  },
  HttpResponseStream: {
    from(stream, { statusCode }) {
      status = statusCode;
      return stream;
    },
  },
};

/** Of the answer; undefined for a function that is not called by a gateway. */
let status;

const cpu = process.cpuUsage();
const start = performance.now();
const module = await import(file);
const imported = performance.now();
const answer = await module[name](JSON.parse(event), {
  awsRequestId: "bench",
  getRemainingTimeInMillis: () => 5000,
});
const answered = performance.now();
const { user, system } = process.cpuUsage(cpu);
status ??= answer?.statusCode;
if (status >= 500) throw new Error(`${name} answered ${status} ${answer?.body ?? ""}`);

process.stdout.write(
  JSON.stringify({
    import: imported - start,
    first: answered - imported,
    cpu: (user + system) / 1000,
  }),
  () => process.exit(0),
);
