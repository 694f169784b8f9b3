import * as Grants from "./grants.ts";
import * as Settings from "./settings.ts";

const settings = Settings.ofStage($app.stage);

// SST's links grant everything (`s3:*`, `dynamodb:*` with DeleteTable, `sqs:*`, `cognito-idp:*`). Here a link gives the name
// only, and `permissions:` grants actions.
sst.Linkable.wrap(sst.aws.Bucket, (bucket) => ({ properties: { name: bucket.name } }));
sst.Linkable.wrap(sst.aws.Dynamo, (table) => ({ properties: { name: table.name } }));
sst.Linkable.wrap(sst.aws.Queue, (queue) => ({ properties: { url: queue.url } }));
sst.Linkable.wrap(sst.aws.CognitoUserPool, (pool) => ({ properties: { id: pool.id } }));
sst.Linkable.wrap(sst.aws.Function, (handler) => ({ properties: { name: handler.name } }));

const { accountId } = aws.getCallerIdentityOutput();

$transform(sst.aws.Function, (args, _options, name) => {
  const logGroup = `/aws/lambda/${$app.name}/${$app.stage}/${name}`;
  args.architecture ??= "arm64";
  // a chunk that a request does not need is not loaded
  args.nodejs = $output(args.nodejs ?? {}).apply((own) => ({
    minify: true,
    splitting: true,
    ...own,
  }));
  args.permissions = $output(args.permissions ?? []).apply((own) => [
    ...own,
    ...Grants.wildcards(),
    {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [
        $interpolate`arn:aws:logs:${settings.region}:${accountId}:log-group:${logGroup}:*`,
      ],
    },
  ]);
  args.transform = {
    ...args.transform,
    logGroup: { name: logGroup, retentionInDays: settings.logDays },
    role: (role) => {
      // AWSLambdaBasicExecutionRole may write to every log group of the account
      role.managedPolicyArns = [];
      // SST lets every principal of the account assume the role, in deployed stages too: its `!dev` tests an Output,
      // which is always true (SST 4.17.1, createRole of its Function component). `sst dev` needs it: it runs the function on this machine.
      if (!$dev)
        role.assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({
          Service: "lambda.amazonaws.com",
        });
      return undefined;
    },
  };
});

$transform(aws.lambda.Function, (args) => {
  args.tracingConfig = { mode: "Active" };
});

// A mock passes no bytes on, but an API with binary types decodes what `Accept` calls binary and answers 500.
$transform(aws.apigateway.Integration, (args) => {
  args.contentHandling = $resolve([args.type, args.contentHandling]).apply(([type, handling]) =>
    type === "MOCK" ? "CONVERT_TO_TEXT" : handling,
  ) as $util.Output<string>;
});
