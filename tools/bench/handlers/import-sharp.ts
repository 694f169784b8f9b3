import sharp from "sharp";

export const handler = async () => typeof sharp;
