import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

// Secure Remote Password in Cognito's variant: RFC 5054's 3072-bit group, SHA-256, hexadecimal padded to a positive number.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html;
// the exact bytes as in amazon-cognito-identity-js 6.3, AuthenticationHelper.js

const N_HEX =
  "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

const N = BigInt(`0x${N_HEX}`);
const G = 2n;
const K = toBig(sha256(Buffer.from(padHex(N) + padHex(G), "hex")));

/** What is stored instead of a password. */
export type Secret = { salt: string; verifier: string };

export type Challenge = {
  /** The server's public value in hexadecimal. */
  serverPublic: string;
  check(claim: { signature: string; timestamp: string; secretBlock: Buffer }): boolean;
};

export function createSecret(poolName: string, username: string, password: string): Secret {
  const salt = createSalt(randomBytes(16));
  return { salt, verifier: verifierOf(poolName, username, password, salt).toString(16) };
}

/** Returns 16 bytes in the form of a salt. */
export const createSalt = (bytes: Buffer): string => padHex(toBig(bytes));

/** Returns whether the password is correct, for the flow that sends it. */
export function matchesPassword(
  poolName: string,
  username: string,
  password: string,
  secret: Secret,
): boolean {
  const verifier = verifierOf(poolName, username, password, secret.salt).toString(16);
  return timingSafeEqual(sha256(Buffer.from(verifier)), sha256(Buffer.from(secret.verifier)));
}

/** Returns the server's half of the exchange, undefined if the client's public value is not valid. */
export function createChallenge(
  poolName: string,
  username: string,
  clientPublicHex: string,
  { verifier }: Secret,
): Challenge | undefined {
  if (!/^[0-9a-f]+$/i.test(clientPublicHex)) return undefined;
  const clientPublic = BigInt(`0x${clientPublicHex}`);
  if (clientPublic % N === 0n) return undefined;
  const v = BigInt(`0x${verifier}`);
  const b = toBig(randomBytes(64));
  const serverPublic = (K * v + modPow(G, b)) % N;
  const u = toBig(sha256(Buffer.from(padHex(clientPublic) + padHex(serverPublic), "hex")));
  const shared = modPow((clientPublic * modPow(v, u)) % N, b);
  const key = deriveKey(shared, u);
  return {
    serverPublic: serverPublic.toString(16),
    check({ signature, timestamp, secretBlock }) {
      const expected = createHmac("sha256", key)
        .update(poolName)
        .update(username)
        .update(secretBlock)
        .update(timestamp)
        .digest();
      const given = Buffer.from(signature, "base64");
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

function verifierOf(poolName: string, username: string, password: string, salt: string): bigint {
  const identity = sha256(Buffer.from(`${poolName}${username}:${password}`)).toString("hex");
  return modPow(G, toBig(sha256(Buffer.from(salt + identity, "hex"))));
}

/** HKDF with one block of 16 bytes. */
function deriveKey(shared: bigint, u: bigint): Buffer {
  const pseudoRandom = createHmac("sha256", Buffer.from(padHex(u), "hex"))
    .update(Buffer.from(padHex(shared), "hex"))
    .digest();
  const info = Buffer.concat([Buffer.from("Caldera Derived Key"), Buffer.from([1])]);
  return createHmac("sha256", pseudoRandom).update(info).digest().subarray(0, 16);
}

function modPow(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % N;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

/** An even number of digits, with a zero byte before a value whose first bit is set. */
function padHex(value: bigint): string {
  const hex = value.toString(16);
  const even = hex.length % 2 === 1 ? `0${hex}` : hex;
  return /^[89a-f]/.test(even) ? `00${even}` : even;
}

function toBig(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
