/** A file's description, its bytes, and the code of its refusal where only one code is right. */
export type Case = readonly [name: string, bytes: Buffer, code?: string | undefined];
