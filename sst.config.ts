/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  async app({ stage }) {
    const Settings = await import("./infra/settings.ts");
    const { region, removal, protect } = Settings.ofStage(stage);
    return {
      name: "balde",
      home: "aws",
      removal,
      protect,
      providers: {
        // the version that the SST platform is built with: SST rejects a lower one
        aws: { version: "7.48.0", region },
        random: "4.16.6",
      },
    };
  },
  async run() {
    await import("./infra/defaults.ts");
    const { images, data } = await import("./infra/storage.ts");
    const { users, webClient } = await import("./infra/auth.ts");
    const { ingestDeadLetters } = await import("./infra/ingest.ts");
    await import("./infra/outbox.ts");
    await import("./infra/like-counter.ts");
    const { api } = await import("./infra/api.ts");
    await import("./infra/alarms.ts");
    await import("./infra/user-deletion.ts");
    return {
      api: api.url,
      bucket: images.name,
      table: data.name,
      userPool: users.id,
      userPoolClient: webClient.id,
      deadLetters: ingestDeadLetters.url,
    };
  },
});
