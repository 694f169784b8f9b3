/** What `pnpm synth` writes: the resource graph of one stage, before anything of it is checked. */
export type GraphFile = {
  app: string;
  stage: string;
  region: string;
  account: string;
  resources: ResourceInFile[];
  /** What SST would bundle for each Lambda function, by the function's ARN. */
  functions: Record<string, FunctionSource>;
};

export type ResourceInFile = {
  urn: string;
  type: string;
  name: string;
  parent?: string;
  /** Made up, stable: the physical name of a bucket, table or function, the URL of a queue. */
  id: string;
  inputs: object;
  outputs: object;
  /** Of a deployment of an API: the URNs of what has to exist before it. */
  dependsOn?: string[];
};

export type FunctionSource = {
  /** Logical name: what a person calls it. */
  name: string;
  /** `path/from/root.exportedName`. */
  handler: string;
  links: Record<string, object>;
  nodejs?: {
    minify?: boolean;
    splitting?: boolean;
    sourcemap?: boolean;
    banner?: string;
    install?: Record<string, string>;
    esbuild?: object;
  };
  architecture: "x86_64" | "arm64";
};
