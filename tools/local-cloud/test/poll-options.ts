/** For `expect.poll`: time for what other processes bring about on a machine that is busy with something else. */
export const patiently = { timeout: 15_000, interval: 5 };
