import { join } from "node:path";

import { openBoundedFile } from "../bounded-file.ts";
import type { PartialRequestContext, Stage } from "./types.ts";
import type { RequestOutcome } from "./request-outcome.ts";
import type { Dependencies } from "./dependencies.ts";

/** A line of half a kilobyte is usual: two files of this size are about 30,000 requests of a stage. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Opens one file for each stage that has an access log; AWS has a log group instead. A request without a stage is not logged. */
export function openAccessLogs(stages: Stage[], { logFolder, log }: Dependencies) {
  const files = new Map(
    logFolder === undefined
      ? []
      : stages
          .filter(({ accessLog }) => accessLog)
          .map((stage) => {
            const path = join(logFolder, `${nameOf(stage, stages)}.log`);
            return [stage, openBoundedFile(path, MAX_BYTES, (message) => log.warn(message))];
          }),
  );
  return {
    write(context: PartialRequestContext, outcome: RequestOutcome) {
      const { stage } = context;
      if (stage?.accessLog) files.get(stage)?.append(stage.accessLog(context, outcome));
    },
    stop() {
      for (const file of files.values()) file.close();
    },
  };
}

/** Returns `access-{stage}`, or `access-{api id}-{stage}` if several APIs have a stage of that name. */
function nameOf({ api, name }: Stage, stages: Stage[]) {
  const isOnly = stages.filter((other) => other.name === name).length === 1;
  return isOnly ? `access-${name}` : `access-${api.id}-${name}`;
}
