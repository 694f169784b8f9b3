/** esbuild options that replace undici's classes, which cost time in every cold start, by packages/api/src/light-fetch.ts. */
export const nodejs = {
  esbuild: {
    define: { Request: "LightRequest", Response: "LightResponse", Headers: "LightHeaders" },
  },
};
