/**
 * The parts of Request, Response and Headers that Hono and the routes use. Node loads undici when one of the three names
 * is first read, which takes 16 to 27 ms of every cold start; the `define` in infra/light-fetch.ts makes the bundle use
 * these classes instead. Outside the bundle nothing changes. See docs/adr/0013-cold-start.md.
 */
type Pairs = Iterable<[string, string]> | Record<string, string | undefined>;
type Body = string | Uint8Array | null | undefined;
type Init = { method?: string; status?: number; statusText?: string; headers?: Pairs; body?: Body };

class LightHeaders {
  #values = new Map<string, string[]>();

  constructor(init?: Pairs) {
    if (!init) return;
    const pairs = isIterable(init) ? init : Object.entries(init);
    for (const [name, value] of pairs) if (value !== undefined) this.append(name, value);
  }

  get(name: string) {
    return this.#values.get(name.toLowerCase())?.join(", ") ?? null;
  }

  has(name: string) {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string) {
    this.#values.set(name.toLowerCase(), [printable(name, value)]);
  }

  append(name: string, value: string) {
    const values = this.#values.get(name.toLowerCase());
    if (values) values.push(printable(name, value));
    else this.set(name, value);
  }

  delete(name: string) {
    this.#values.delete(name.toLowerCase());
  }

  getSetCookie() {
    return [...(this.#values.get("set-cookie") ?? [])];
  }

  forEach(visit: (value: string, name: string, headers: this) => void) {
    for (const [name, value] of this) visit(value, name, this);
  }

  *entries(): Generator<[string, string]> {
    for (const [name, values] of [...this.#values].sort(byName)) {
      if (name === "set-cookie") for (const value of values) yield [name, value];
      else yield [name, values.join(", ")];
    }
  }

  *keys() {
    for (const [name] of this) yield name;
  }

  *values() {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

/** The base of LightRequest and LightResponse: the whole body is in memory, so it may be read more than once. */
class LightMessage {
  readonly headers: LightHeaders;
  readonly body: Body;
  readonly bodyUsed = false;

  constructor(body: Body, headers?: Pairs) {
    if (body && typeof body === "object" && !(body instanceof Uint8Array)) {
      throw new TypeError("The body must be text or bytes; this class does not support streams");
    }
    this.headers = new LightHeaders(headers);
    this.body = body ?? null;
  }

  async text() {
    if (typeof this.body === "string") return this.body;
    return new TextDecoder().decode(this.body ?? undefined);
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async bytes() {
    if (typeof this.body === "string") return new TextEncoder().encode(this.body);
    return this.body ? new Uint8Array(this.body) : new Uint8Array();
  }

  async arrayBuffer() {
    return (await this.bytes()).buffer;
  }
}

class LightRequest extends LightMessage {
  readonly url: string;
  readonly method: string;

  constructor(url: string | LightRequest, init: Init = {}) {
    const base = typeof url === "string" ? undefined : url;
    super(init.body ?? base?.body, init.headers ?? base?.headers);
    this.url = typeof url === "string" ? url : url.url;
    this.method = init.method ?? base?.method ?? "GET";
  }
}

class LightResponse extends LightMessage {
  readonly status: number;
  readonly statusText: string;

  constructor(body?: Body, init: Init = {}) {
    super(body, init.headers);
    this.status = init.status ?? 200;
    this.statusText = init.statusText ?? "";
    const untyped = typeof body === "string" && !this.headers.has("content-type");
    if (untyped) this.headers.set("content-type", "text/plain;charset=UTF-8");
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }
}

Object.assign(globalThis, { LightHeaders, LightRequest, LightResponse });

const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);

const isIterable = (init: Pairs): init is Iterable<[string, string]> => Symbol.iterator in init;

/** @throws TypeError if the value contains a line break, which would start another header; undici rejects it too. */
function printable(name: string, value: string) {
  const text = value.trim();
  // oxlint-disable-next-line no-control-regex
  if (/[\0\r\n]/.test(text)) throw new TypeError(`Header ${name} contains a line break`);
  return text;
}
