import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { type Contender, EDGE, type Format, QUALITY, end, program } from "./target.ts";
import type { Original } from "./corpus.ts";
import { get } from "./load.ts";
import { usage } from "./process-tree.ts";

const folder = join(import.meta.dirname, "../peers");
const asked = (process.env.PEERS ?? "ipx,nginx").split(",");

/** Copies of a file under names of their own: nobody is handed what he has just made. */
const COPIES = 6;

export const fileOf = (dir: string, { megapixels }: Original, copy = 0) =>
  join(dir, `${megapixels}mp-${copy}.jpg`);

export function writeCopies(dir: string, originals: Original[]) {
  for (const original of originals)
    for (let copy = 0; copy < COPIES; copy++)
      writeFileSync(fileOf(dir, original, copy), original.bytes);
}

/** Those that are asked for by PEERS and can be had here; who is missing is named, and why. */
export async function startPeers(dir: string): Promise<Contender[]> {
  const started: Contender[] = [];
  for (const name of asked) {
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
  // AVIF's numbers mean more than JPEG's: 52 there is 80 here
  const path = (format: Format) => `f_${format},w_${EDGE},q_${format === "avif" ? 52 : QUALITY}`;
  return server("ipx", join(folder, "ipx.mjs"), dir, (file, format) => `/${path(format)}/${file}`);
}

async function startNext(dir: string) {
  if (!installed(join(folder, "next"), "next")) return "npm could not install it";
  // Next.js takes five eighths of it for AVIF: 52
  const q = (format: Format) => (format === "avif" ? 83 : QUALITY);
  const script = join(folder, "next/next.mjs");
  const query = (format: Format) => `type=image/${format}&w=${EDGE}&q=${q(format)}`;
  return server("Next.js", script, dir, (file, format) => `/${file}?${query(format)}`);
}

async function server(
  name: string,
  script: string,
  dir: string,
  path: (file: string, format: Format) => string,
): Promise<Contender> {
  const { child, told, stop } = await program<{ port: number }>(script, [dir], {
    NODE_ENV: "production",
  });
  let turn = 0;
  return {
    name,
    makes: ["webp", "avif", "jpeg"],
    async make({ megapixels }, format) {
      const file = `${megapixels}mp-${turn++ % COPIES}.jpg`;
      return (await get(`http://127.0.0.1:${told.port}${path(file, format)}`)).body;
    },
    usage: () => usage(child.pid!),
    stop,
  };
}

const filter = "/usr/lib/nginx/modules/ngx_http_image_filter_module.so";

/** nginx with libgd, which makes JPEG only. */
async function startNginx(dir: string): Promise<Contender | string> {
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
    makes: ["jpeg"],
    make: async ({ megapixels }) =>
      (await get(`http://127.0.0.1:${port}/${megapixels}mp-${turn++ % COPIES}.jpg`)).body,
    usage: () => usage(child.pid!),
    stop: () => end(child),
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
      image_filter resize ${EDGE} -;
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
  throw new Error("nginx does not answer");
}

function installed(home: string, name: string) {
  if (existsSync(join(home, "node_modules", name))) return true;
  console.log(`Installing ${name} into tools/bench/peers, once…`);
  const flags = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--legacy-peer-deps"];
  return spawnSync("npm", flags, { cwd: home, stdio: "ignore" }).status === 0;
}
