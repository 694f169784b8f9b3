import type { RequestContext } from "./types.ts";

/** Returns `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}` */
export const methodArn = ({ stage, httpMethod, path }: RequestContext) =>
  `${stage.api.executionArn}/${stage.name}/${httpMethod}/${path.replace(/^\//, "")}`;
