import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Resource } from "sst";
import sharp from "sharp";

// The peer of the goal of the first image: rendering on demand as in AWS's samples. It reads the original from the bucket, uses
// sharp's defaults, stores the result and returns it in base64, without a table, plans or checks.

const links = Resource as unknown as { Images: { name: string } };
const s3 = new S3Client({ forcePathStyle: true });

type Event = { key: string; format: "webp" | "avif"; width: number; as: string };

export async function handler({ key, format, width, as }: Event) {
  const Bucket = links.Images.name;
  const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
  const original = await Body!.transformToByteArray();
  const image = sharp(original, { failOn: "none", animated: true });
  const metadata = await image.metadata();
  if (metadata.orientation) image.rotate();
  const made = await image.resize({ width }).toFormat(format, { quality: 80 }).toBuffer();
  await s3.send(
    new PutObjectCommand({ Bucket, Key: as, Body: made, ContentType: `image/${format}` }),
  );
  return { statusCode: 200, isBase64Encoded: true, body: made.toString("base64"), ContentType };
}
