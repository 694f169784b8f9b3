import { readFileSync } from "node:fs";
import { join } from "node:path";

import { createClient, ProblemError, signIn } from "@balde/client";
import type { Cloud } from "@balde/local-cloud";

export type User = { name: string; password: string };
export type Local = Omit<Cloud["local"], "apiKeys"> & {
  /** The page that shows the API's document. */
  docs: string;
  users: User[];
  /** API keys by the usage plan that they are in. */
  keys?: Record<string, string>;
};

const users: User[] = [
  { name: "ann", password: "Picture-book-1" },
  { name: "bo", password: "Picture-book-2" },
];

const pictures = [
  {
    name: "stonehenge.jpg",
    title: "Stonehenge",
    alt: "Standing stones on a green field",
    tags: ["stone"],
  },
  { name: "koi.jpg", title: "Koi", alt: "Koi in a pond", tags: ["water", "fish"] },
  {
    name: "pier.jpg",
    title: "Sunset by the pier",
    alt: "A pier at sunset",
    tags: ["water", "sunset"],
  },
];

/** Two people and three pictures, through the same doors that everybody uses; what is there already stays. */
export async function seed(
  cloud: Cloud,
  root: string,
  say: (line: string) => void,
): Promise<User[]> {
  const { api, cognito } = cloud.local;
  if (!cognito) return [];
  for (const user of users) cloud.createUser({ ...user, email: `${user.name}@example.com` });

  const [ann] = users;
  const token = await signIn({ ...cognito, username: ann!.name, password: ann!.password });
  const client = createClient(api, { token: token.idToken });
  for (const picture of pictures) {
    const bytes = readFileSync(join(root, "tools/start/pictures", picture.name));
    try {
      await client.upload(new Blob([bytes], { type: "image/jpeg" }), picture);
      say(`  ${picture.name} is ready`);
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === "name.taken")) throw error;
    }
  }
  return users;
}
