// The package is CommonJS: in a bundle, `import()` of it has no names. That of this module has them.
export { SaxesParser } from "saxes";
