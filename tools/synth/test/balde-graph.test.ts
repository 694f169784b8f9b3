import { join } from "node:path";
import { beforeAll } from "vitest";

import { synthesize } from "../src/synthesize.ts";
import { gatewayResponses } from "./gateway-responses.ts";
import { events } from "./events.ts";
import { gateway } from "./gateway.ts";
import { guards } from "./guards.ts";
import type { Graphs } from "./read.ts";
import { permissions } from "./permissions.ts";
import { stages } from "./stages.ts";
import { storage } from "./storage.ts";

// the program runs once per stage, for all files of tests
let graphs: Graphs;

beforeAll(async () => {
  graphs = await synthesize(join(import.meta.dirname, "../../.."), {
    laptop: { stage: "laptop" },
    production: { stage: "production" },
    dev: { stage: "developer", dev: true },
  });
}, 300_000);

for (const about of [permissions, gateway, gatewayResponses, storage, events, stages, guards])
  about(() => graphs);
