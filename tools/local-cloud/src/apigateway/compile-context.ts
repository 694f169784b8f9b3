import type { Resource } from "../graph/resource-graph.ts";
import type { CompiledApi } from "./types.ts";
import type { Dependencies } from "./dependencies.ts";
import type { Permissions } from "./invoke-permissions.ts";

/** What the parts of a method are compiled with. */
export type CompileContext = {
  api: CompiledApi;
  stageName: string;
  own: OwnResources;
  dependencies: Dependencies;
  permissions: Permissions;
};

/** Resources that name the REST API that they belong to. */
type OwnType = Extract<Resource, { inputs: { restApi: string } | { restApiId: string } }>["type"];

/** Returns the API's own resources of a type. */
export type OwnResources = <Type extends OwnType>(type: Type) => Resource<Type>[];
