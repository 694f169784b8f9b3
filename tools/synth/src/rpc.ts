import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import type { Build } from "./graph.ts";
import * as Handler from "./handler.ts";

/**
 * Starts the part of the SST command that its components call while the program runs. `builds` collects what SST would
 * bundle; nothing is bundled here, because a laptop bundles when it starts and a deploy when it deploys.
 */
export async function serve(root: string, work: string): Promise<{ url: string; builds: Build[] }> {
  const builds: Build[] = [];
  const methods: Record<string, (input: Build) => Promise<unknown>> = {
    "Provider.Aws.Bootstrap": async () => ({
      asset: "sst-asset-bucket",
      state: "sst-state-bucket",
      assetEcrRegistryId: "",
      assetEcrUrl: "",
      appsyncHttp: "",
      appsyncRealtime: "",
    }),
    "Provider.Aws.Appsync": async () => ({ http: "events.invalid", realtime: "realtime.invalid" }),
    "Runtime.Build": async (input) => {
      builds.push(input);
      const problem = await Handler.findProblem(root, input.handler);
      const out = join(work, "artifacts", `${input.functionID}-src`);
      mkdirSync(out, { recursive: true });
      writeFileSync(join(out, "bundle.mjs"), "export {};\n");
      const name = input.handler.slice(input.handler.lastIndexOf("."));
      return {
        handler: `bundle${name}`,
        out,
        errors: problem ? [`${input.functionID}: ${problem}`] : [],
        sourcemaps: [],
      };
    },
    "Runtime.AddTarget": async (input) => {
      builds.push(input);
      return {};
    },
  };
  const reply = async (request: IncomingMessage, response: ServerResponse) => {
    const { method, params } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const result = methods[method]
      ? { result: await methods[method](params[0]) }
      : { error: `rpc: can't find method ${method}` };
    // an idle connection would keep the process running for five seconds after the program's end
    response.writeHead(200, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(result));
  };
  const server = createServer((request, response) => void reply(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, builds };
}
