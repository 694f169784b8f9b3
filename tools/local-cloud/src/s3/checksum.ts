import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
export const algorithms = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;

export type Algorithm = (typeof algorithms)[number];

export type Hasher = { update(chunk: Uint8Array): void; digest(): Buffer };

export function createHasher(algorithm: Algorithm): Hasher {
  switch (algorithm) {
    case "sha1":
    case "sha256": {
      const hash = createHash(algorithm);
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
    }
    case "crc32":
      return crc((chunk, value) => crc32(chunk, value));
    case "crc32c":
      return crc(crc32c);
    case "crc64nvme":
      return crc64nvme();
  }
}

/** The length in bytes of each checksum. */
export const lengthOf: Record<Algorithm, number> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

function crc(step: (chunk: Uint8Array, value: number) => number): Hasher {
  let value = 0;
  return {
    update(chunk) {
      value = step(chunk, value);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value >>> 0);
      return bytes;
    },
  };
}

// Castagnoli's polynomial, bits reversed
const castagnoli = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(chunk: Uint8Array, previous: number): number {
  let value = ~previous;
  for (const byte of chunk) value = castagnoli[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return ~value;
}

// the polynomial of CRC-64/NVME, bits reversed, in halves: BigInt would be fifty times slower
const [nvmeHigh, nvmeLow] = [new Uint32Array(256), new Uint32Array(256)];
for (let byte = 0; byte < 256; byte++) {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit++)
    value = value & 1n ? (value >> 1n) ^ 0x9a6c9329ac4bc9b5n : value >> 1n;
  nvmeHigh[byte] = Number(value >> 32n);
  nvmeLow[byte] = Number(value & 0xffffffffn);
}

function crc64nvme(): Hasher {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) {
        const index = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ nvmeLow[index]!;
        high = (high >>> 8) ^ nvmeHigh[index]!;
      }
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes;
    },
  };
}
