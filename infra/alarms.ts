import { restApi } from "./gateway.ts";
import { ingestDeadLetters } from "./ingest.ts";
import { countDeadLetters } from "./like-counter.ts";
import { outboxDeadLetters } from "./outbox.ts";
import * as Settings from "./settings.ts";

const { alarms } = Settings.ofStage($app.stage);

type Alarm = {
  description: string;
  namespace: string;
  metricName: string;
  dimensions: Record<string, $util.Input<string>>;
  statistic: "Average" | "Maximum";
  threshold: number;
  /** How many of the last five minutes must be above the threshold. */
  minutes: number;
};

const deadLetters = (queue: sst.aws.Queue, description: string): Alarm => ({
  description,
  namespace: "AWS/SQS",
  metricName: "ApproximateNumberOfMessagesVisible",
  dimensions: { QueueName: queue.nodes.queue.name },
  statistic: "Maximum",
  threshold: 0,
  minutes: 1,
});

/** What needs a person, by the name of the alarm; docs/operations.md says what to do. */
const watched: Record<string, Alarm> = {
  IngestDeadNotEmpty: deadLetters(ingestDeadLetters, "Uploads or changes that failed twenty times"),
  CountDeadNotEmpty: deadLetters(countDeadLetters, "Likes that were not counted"),
  OutboxDeadNotEmpty: deadLetters(outboxDeadLetters, "Changes of images that nothing follows"),
  ApiFails: {
    description: "More than one request in a hundred was answered 5xx in three of five minutes",
    namespace: "AWS/ApiGateway",
    metricName: "5XXError",
    dimensions: { ApiName: restApi.name, Stage: $app.stage },
    // the average of zeros and ones: a share of the requests
    statistic: "Average",
    threshold: 0.01,
    minutes: 3,
  },
};

if (alarms) {
  const topic = new aws.sns.Topic("Alarms", {});
  if (alarms.mail !== undefined)
    new aws.sns.TopicSubscription("AlarmsByMail", {
      topic: topic.arn,
      protocol: "email",
      endpoint: alarms.mail,
    });
  for (const [name, { description, minutes, ...alarm }] of Object.entries(watched))
    new aws.cloudwatch.MetricAlarm(name, {
      ...alarm,
      alarmDescription: description,
      comparisonOperator: "GreaterThanThreshold",
      period: 60,
      evaluationPeriods: 5,
      datapointsToAlarm: minutes,
      // a queue or an API that nothing uses has no values
      treatMissingData: "notBreaching",
      alarmActions: [topic.arn],
      okActions: [topic.arn],
    });
}
