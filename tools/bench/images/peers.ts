import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { type Target, WIDTH, type Format, QUALITY, stopProcess, startProgram } from "./target.ts";
import type { Original } from "./corpus.ts";
import { get } from "./load.ts";
import { usageOf } from "./process-tree.ts";

const folder = join(import.meta.dirname, "../peers");
const wantedPeers = (process.env.PEERS ?? "ipx,nginx").split(",");

/** Copies of a file under different names, so that no peer can answer from a cache. */
const COPIES = 6;

export const fileOf = (dir: string, { megapixels }: Original, copy = 0) =>
  join(dir, `${megapixels}mp-${copy}.jpg`);

export function writeCopies(dir: string, originals: Original[]) {
  for (const original of originals)
    for (let copy = 0; copy < COPIES; copy++)
      writeFileSync(fileOf(dir, original, copy), original.bytes);
}

/** Starts the peers of PEERS that are available, and prints why another one is not. */
export async function startPeers(dir: string): Promise<Target[]> {
  const started: Target[] = [];
  for (const name of wantedPeers) {
    const start = starts[name as keyof typeof starts];
    if (!start) throw new Error(`PEERS=${name}: there are ${Object.keys(starts).join(", ")}`);
    const peer = await start(dir);
    if (typeof peer === "string") console.log(`Without ${name}: ${peer}`);
    else started.push(peer);
  }
  return started;
}

const starts = { ipx: startIpx, next: startNext, nginx: startNginx };

async function startIpx(dir: string) {
  if (!installed(folder, "ipx")) return "npm could not install it";
  // quality 52 of AVIF looks like 80 of JPEG
  const path = (format: Format) => `f_${format},w_${WIDTH},q_${format === "avif" ? 52 : QUALITY}`;
  return server("ipx", join(folder, "ipx.mjs"), dir, (file, format) => `/${path(format)}/${file}`);
}

/** Starts ipx for originals that it reads by HTTP; `path` is that of a picture of the original at this URL. A text says why it cannot. */
export async function startIpxOverHttp() {
  if (!installed(folder, "ipx")) return "npm could not install it";
  const { message, stop } = await startProgram<{ port: number }>(join(folder, "ipx.mjs"), ["."], {
    NODE_ENV: "production",
  });
  const origin = `http://127.0.0.1:${message.port}`;
  const pictureUrl = (format: Format, width: number, original: string) =>
    `${origin}/f_${format},w_${width},q_${QUALITY}/${original}`;
  return { pictureUrl, stop };
}

async function startNext(dir: string) {
  if (!installed(join(folder, "next"), "next")) return "npm could not install it";
  // Next.js multiplies the quality by five eighths for AVIF: 52
  const q = (format: Format) => (format === "avif" ? 83 : QUALITY);
  const script = join(folder, "next/next.mjs");
  const query = (format: Format) => `type=image/${format}&w=${WIDTH}&q=${q(format)}`;
  return server("Next.js", script, dir, (file, format) => `/${file}?${query(format)}`);
}

async function server(
  name: string,
  script: string,
  dir: string,
  path: (file: string, format: Format) => string,
): Promise<Target> {
  const { child, message, stop } = await startProgram<{ port: number }>(script, [dir], {
    NODE_ENV: "production",
  });
  let turn = 0;
  return {
    name,
    formats: ["webp", "avif", "jpeg"],
    async renderNew({ megapixels }, format) {
      const file = `${megapixels}mp-${turn++ % COPIES}.jpg`;
      return (await get(`http://127.0.0.1:${message.port}${path(file, format)}`)).body;
    },
    usage: () => usageOf(child.pid!),
    stop,
  };
}

const filter = "/usr/lib/nginx/modules/ngx_http_image_filter_module.so";

/** nginx with libgd, which writes JPEG only. */
async function startNginx(dir: string): Promise<Target | string> {
  const isThere = spawnSync("nginx", ["-v"]).status === 0 && existsSync(filter);
  if (!isThere) return "it needs Debian's packages nginx-light and libnginx-mod-http-image-filter";
  const port = await freePort();
  const home = join(dir, "nginx");
  mkdirSync(home);
  writeFileSync(join(home, "nginx.conf"), configuration(home, dir, port));
  const args = ["-c", join(home, "nginx.conf"), "-p", home, "-e", join(home, "error.log")];
  const child = spawn("nginx", args, { stdio: ["ignore", "ignore", "inherit"] });
  await listening(port);
  let turn = 0;
  return {
    name: "nginx",
    formats: ["jpeg"],
    renderNew: async ({ megapixels }) =>
      (await get(`http://127.0.0.1:${port}/${megapixels}mp-${turn++ % COPIES}.jpg`)).body,
    usage: () => usageOf(child.pid!),
    stop: () => stopProcess(child),
  };
}

const configuration = (home: string, dir: string, port: number) => `
${process.getuid?.() === 0 ? "user root;" : ""}
load_module ${filter};
daemon off;
worker_processes auto;
pid ${home}/pid;
error_log ${home}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      root ${dir};
      image_filter resize ${WIDTH} -;
      image_filter_jpeg_quality ${QUALITY};
      image_filter_buffer 64M;
    }
  }
}
`;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number) {
  for (let tries = 0; tries < 200; tries++) {
    const isUp = await get(`http://127.0.0.1:${port}/`).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== "ECONNREFUSED",
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("nginx does not respond within 5 s");
}

function installed(home: string, name: string) {
  if (existsSync(join(home, "node_modules", name))) return true;
  console.log(`Installing ${name} into tools/bench/peers, once…`);
  const flags = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--legacy-peer-deps"];
  // without the option that keeps measuring processes on this machine
  const { NODE_OPTIONS: _, ...env } = process.env;
  return spawnSync("npm", flags, { cwd: home, stdio: "ignore", env }).status === 0;
}
