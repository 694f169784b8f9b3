import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { WebSocket } from "ws";

import type { Case, Expect, HttpStep, Step } from "./case.ts";
import { at, complaint, show } from "./fact.ts";
import type { Fixture } from "./fixture.ts";
import { type Answer, send } from "./http.ts";

/** Everything that is wrong, in sentences; nothing when the case holds. Knows the fixture's line of JSON and no more. */
export async function run({ steps, authorizerCalls }: Case, fixture: Fixture): Promise<string[]> {
  const state: State = { fixture, saved: {}, socket: undefined, inbox: [] };
  const before = authorizerCalls === undefined ? 0 : await countCalls(fixture);
  const complaints: string[] = [];
  try {
    for (const [index, step] of steps.entries()) {
      const found = await take(filled(step, state), state);
      complaints.push(...found.map((text) => `step ${index + 1}: ${text}`));
    }
  } finally {
    state.socket?.terminate();
  }
  if (authorizerCalls !== undefined) {
    const made = (await countCalls(fixture)) - before;
    if (made !== authorizerCalls)
      complaints.push(`the authorizer was called ${made} times, not ${authorizerCalls}`);
  }
  return complaints;
}

type State = {
  fixture: Fixture;
  saved: Record<string, unknown>;
  socket: WebSocket | undefined;
  inbox: unknown[];
};

async function take(step: Step, state: State): Promise<string[]> {
  if ("request" in step) return http(step, state);
  if ("connect" in step) return connect(step.connect, step.status, state);
  if ("receive" in step) {
    const message = await next(state);
    for (const [name, pointer] of Object.entries(step.save ?? {}))
      state.saved[name] = at(message, pointer);
    return facts("the message", message, step.receive);
  }
  if ("send" in step) state.socket!.send(step.send);
  if ("waitSeconds" in step) await wait(step.waitSeconds, state.fixture);
  if ("close" in step) {
    state.socket!.close();
    await once(state.socket!, "close");
  }
  return [];
}

async function http({ request, times = 1, among, expect }: HttpStep, { fixture }: State) {
  const answers = await Promise.all(Array.from({ length: times }, () => send(request, fixture)));
  if (!among) return expect ? judge(answers[0]!, expect) : [];
  const few = Object.entries(among).flatMap(([status, { least }]) => {
    const count = answers.filter((answer) => String(answer.status) === status).length;
    return count < least ? [`${count} × ${status}, not ${least}`] : [];
  });
  const wrong = answers.flatMap((answer) => {
    const expected = among[answer.status];
    if (!expected) return [`${answer.status} is none of the answers`];
    return judge(answer, { ...expected, status: answer.status });
  });
  return [...few, ...wrong];
}

function judge({ status, headers, body, seconds }: Answer, expect: Expect): string[] {
  const text = body.toString("utf8");
  const json = parsed(text);
  const found: string[] = [];
  if (status !== expect.status) found.push(`status ${status}, not ${expect.status}: ${show(text)}`);
  if (expect.requestId !== false && !UUID.test(headers["x-amzn-requestid"] ?? ""))
    found.push("x-amzn-RequestId is no UUID");
  for (const [name, fact] of Object.entries(expect.headers ?? {})) {
    const wrong = complaint(headers[name.toLowerCase()], fact, json);
    if (wrong) found.push(`header ${name}: ${show(headers[name.toLowerCase()])} ${wrong}`);
  }
  found.push(...facts("the body", json, expect.json ?? {}));
  const wrong = expect.text === undefined ? undefined : complaint(text, expect.text, json);
  if (wrong) found.push(`the text ${show(text)} ${wrong}`);
  if (expect.base64 !== undefined && body.toString("base64") !== expect.base64)
    found.push(`the bytes are ${show(body.toString("base64"))}`);
  const [least, most] = expect.seconds ?? [0, Number.POSITIVE_INFINITY];
  if (seconds < least || seconds > most) found.push(`it took ${seconds.toFixed(2)} s`);
  return found;
}

function facts(what: string, document: unknown, wanted: Record<string, unknown>): string[] {
  return Object.entries(wanted).flatMap(([pointer, fact]) => {
    const actual = at(document, pointer);
    const wrong = complaint(actual, fact as object, document);
    return wrong ? [`${what} at "${pointer}": ${show(actual)} ${wrong}`] : [];
  });
}

async function connect(url: string, status: number, state: State): Promise<string[]> {
  const socket = new WebSocket(url);
  state.socket = socket;
  socket.on("message", (data: Buffer) => state.inbox.push(parsed(data.toString("utf8"))));
  const got = await new Promise<number>((resolve, reject) => {
    socket.once("open", () => resolve(101));
    socket.once("unexpected-response", (_, response) => resolve(response.statusCode!));
    socket.on("error", reject);
  });
  return got === status ? [] : [`the handshake was answered ${got}, not ${status}`];
}

async function next({ inbox }: State): Promise<unknown> {
  for (let waited = 0; inbox.length === 0; waited += 20) {
    if (waited >= 10_000) throw new Error("no message came within ten seconds");
    await sleep(20);
  }
  return inbox.shift();
}

async function wait(seconds: number, { clock }: Fixture) {
  if (!clock) return sleep(seconds * 1000);
  await fetch(clock, { method: "POST", body: JSON.stringify({ advanceSeconds: seconds }) });
}

async function countCalls({ authorizerCalls }: Fixture): Promise<number> {
  const response = await fetch(authorizerCalls!);
  return ((await response.json()) as { count: number }).count;
}

/** With every `${name}` replaced; `${name|uri}` is percent-encoded. */
function filled(step: Step, { fixture, saved }: State): Step {
  const management = fixture.websocketUrl.replace(/^ws/, "http");
  const known = { ...fixture, ...saved, management: new URL(management) };
  const value = (name: string): unknown =>
    name.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], known);
  const text = JSON.stringify(step).replace(/\$\{([\w.]+)(\|uri)?\}/g, (_, name, uri) => {
    const found = String(value(name));
    return JSON.stringify(uri ? encodeURIComponent(found) : found).slice(1, -1);
  });
  return JSON.parse(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
