import { Socket } from "node:net";

// Imported first by every process of a benchmark: what is measured must not depend on a network, and must never reach AWS.
// Plain JavaScript, so that processes start as quickly as without it.

const connect = Socket.prototype.connect;

/** @param {unknown[]} args as Node's own callers pass them: an array of options and callback, or the options themselves */
Socket.prototype.connect = function (...args) {
  const [first] = args;
  const options = Array.isArray(first) ? first[0] : first;
  const host = typeof options === "object" ? (options.host ?? "localhost") : args[1];
  const isPipe = typeof options === "object" && Boolean(options.path);
  if (!isPipe && !/^(localhost|127(\.\d+){3}|::1)$/.test(host ?? "localhost"))
    throw new Error(`A benchmark connects to ${host}: only this machine may be reached`);
  return connect.apply(this, args);
};
