import { Info as Image } from "@balde/core/image.schema";
import { ListMine } from "@balde/core/like.schema";
import { Create } from "@balde/core/upload.schema";

// what zod/mini and the schemas of core cost by themselves

export const handler = async () => [Image, Create, ListMine].length;
