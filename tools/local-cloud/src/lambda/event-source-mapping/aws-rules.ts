import { type ResourceGraph, resourcesOf } from "../../graph/resource-graph.ts";

/** Returns a sentence for every event source mapping that AWS would refuse to make. */
export function refusedMappings(graph: ResourceGraph): string[] {
  const queues = new Map(
    resourcesOf(graph, "aws:sqs/queue:Queue").map(({ inputs, outputs }) => [outputs.arn, inputs]),
  );
  const timeouts = new Map(
    resourcesOf(graph, "aws:lambda/function:Function").map(({ inputs, outputs }) => [
      outputs.arn,
      inputs.timeout ?? 3,
    ]),
  );
  return resourcesOf(graph, "aws:lambda/eventSourceMapping:EventSourceMapping").flatMap(
    ({ name, inputs, outputs }) => {
      const found: string[] = [];
      const queue = queues.get(inputs.eventSourceArn);
      if (!queue) return found;
      const visibility = queue.visibilityTimeoutSeconds ?? 30;
      const timeout = timeouts.get(outputs.functionArn ?? inputs.functionName) ?? 0;
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      if (visibility < timeout)
        found.push(
          `${name}: the queue's visibility timeout of ${visibility} s is less than the function's timeout of ${timeout} s`,
        );
      if ((inputs.batchSize ?? 10) > 10 && !inputs.maximumBatchingWindowInSeconds)
        found.push(
          `${name}: a batch of more than 10 messages needs maximumBatchingWindowInSeconds`,
        );
      return found;
    },
  );
}
