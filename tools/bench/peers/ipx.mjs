// ipx as its README has it.
import { createServer } from "node:http";
import { createIPX, createIPXNodeServer, ipxFSStorage, ipxHttpStorage } from "ipx";

const [, , dir] = process.argv;
// originals in a bucket are read by HTTP
const httpStorage = ipxHttpStorage({ domains: ["127.0.0.1"] });
const ipx = createIPX({ storage: ipxFSStorage({ dir }), httpStorage });
const server = createServer(createIPXNodeServer(ipx));
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.on("disconnect", () => process.exit(0));
