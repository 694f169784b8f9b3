export const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a6ebd; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 20rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); font-size: 0.85rem; }
nav a { display: block; padding: 0.15rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav a:hover, nav a:focus { text-decoration: underline; }
nav a b { display: block; margin-top: 0.8rem; }
main { padding: 1rem 2rem 6rem; max-width: 60rem; }
a { color: var(--accent); }
article { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 1rem; margin: 1rem 0; scroll-margin-top: 1rem; }
h3 { margin: 0.5rem 0; font-size: 1.05rem; overflow-wrap: anywhere; }
p { margin: 0.5rem 0; }
i { font: bold 0.75rem/1 ui-monospace, monospace; text-transform: uppercase; padding: 0.15rem 0.4rem; border-radius: 0.25rem; color: #fff; background: #456; }
i.get, i.head { background: #17693a; } i.post { background: #0a5c9e; } i.put, i.patch { background: #8a5300; } i.delete { background: #a32121; }
nav i { font-size: 0.6rem; padding: 0.1rem 0.25rem; }
code, pre { font: 0.85em ui-monospace, monospace; background: var(--soft); border-radius: 0.25rem; padding: 0.1rem 0.25rem; overflow-wrap: anywhere; }
pre { padding: 0.75rem; overflow: auto; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.5rem; border-top: 1px solid var(--line); }
th { white-space: nowrap; font-weight: 600; }
td p:first-child { margin-top: 0; }
summary { cursor: pointer; padding: 0.25rem 0; }
@media (max-width: 50rem) {
  body { display: block; }
  nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1rem; }
  td:nth-child(2):not(:last-child) { display: none; }
}
`;
