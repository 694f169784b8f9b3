/** packages/api/src/light-fetch.ts stands in for what Node would load from undici in every cold start. */
export const nodejs = {
  esbuild: {
    define: { Request: "LightRequest", Response: "LightResponse", Headers: "LightHeaders" },
  },
};
