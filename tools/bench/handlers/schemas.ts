import { Info as Image } from "@balde/core/image.schema";
import { ListMine } from "@balde/core/like.schema";
import { Create } from "@balde/core/upload.schema";

// the cost of zod/mini and core's schemas alone

export const handler = async () => [Image, Create, ListMine].length;
