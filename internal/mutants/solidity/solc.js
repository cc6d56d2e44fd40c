#!/usr/bin/env node
// A compiler that stays warm, for forge: solc.js serve SOCKET FOLDER loads the solc package of FOLDER once and
// answers at SOCKET; --standard-json hands its input to the server at $SETTLE_SOLC_SOCKET. One process for each
// mutant would spend more time on loading the compiler than on compiling.
"use strict";

const { readFileSync } = require("node:fs");
const net = require("node:net");

const args = process.argv.slice(2);
if (args[0] === "serve") {
  const solc = require(args[2]);
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const input = [];
    client.on("error", () => {}); // forge was ended
    client.on("data", (chunk) => input.push(chunk));
    client.on("end", () => client.end(solc.compile(Buffer.concat(input).toString("utf8"))));
  });
  server.listen(args[1], () => console.log(solc.version()));
  process.stdin.on("end", () => process.exit(0)).resume(); // ends with whoever started it
} else if (args.includes("--version")) {
  console.log("solc, the solidity compiler commandline interface");
  console.log(`Version: ${process.env.SETTLE_SOLC_VERSION}`);
} else if (args.includes("--standard-json")) {
  const server = net.connect({ path: process.env.SETTLE_SOLC_SOCKET, allowHalfOpen: true });
  server.on("error", (e) => {
    console.error(`solc: ${e.message}`);
    process.exit(2);
  });
  server.pipe(process.stdout);
  server.end(readFileSync(0));
} else {
  console.error("usage: solc --version | solc --standard-json < input.json");
  process.exit(2);
}
