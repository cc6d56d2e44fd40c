// Compiles contracts with the pinned compiler and writes one artifact each: ABI and creation code.
// Usage: node artifacts.mjs OUT_DIR SOURCE_DIR NAME[=ARTIFACT]...
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [out, sourceDir, ...wanted] = process.argv.slice(2);
if (!out || !sourceDir || wanted.length === 0) {
  console.error("usage: artifacts.mjs OUT_DIR SOURCE_DIR NAME[=ARTIFACT]...");
  process.exit(2);
}

const sources = Object.fromEntries(
  readdirSync(sourceDir)
    .filter((f) => f.endsWith(".sol"))
    .sort()
    .map((f) => [f, { content: readFileSync(join(sourceDir, f), "utf8") }]),
);
// The same settings as in verifier/contracts/foundry.toml.
const input = {
  language: "Solidity",
  sources,
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 1_000_000 },
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
  },
};
const solc = join(dirname(fileURLToPath(import.meta.url)), "solc");
const output = JSON.parse(
  execFileSync(solc, ["--standard-json"], { input: JSON.stringify(input), maxBuffer: 1 << 28 }).toString(),
);
const problems = (output.errors ?? []).filter((e) => e.severity !== "info");
if (problems.some((e) => e.severity === "error")) {
  console.error(problems.map((e) => e.formattedMessage).join("\n"));
  process.exit(1);
}

mkdirSync(out, { recursive: true });
for (const item of wanted) {
  const [name, artifact = name] = item.split("=");
  const contract = Object.values(output.contracts)
    .map((file) => file[name])
    .find((c) => c !== undefined);
  if (!contract) {
    console.error(`no contract ${name} in ${sourceDir}`);
    process.exit(1);
  }
  const bytes = contract.evm.deployedBytecode.object.length / 2;
  if (bytes > 24576) {
    console.error(`${name} has ${bytes} bytes of code, more than the 24576 that may be deployed`);
    process.exit(1);
  }
  const json = { contractName: name, abi: contract.abi, bytecode: "0x" + contract.evm.bytecode.object };
  writeFileSync(join(out, `${artifact}.json`), JSON.stringify(json, null, 1) + "\n");
  console.error(`${name}: ${bytes} bytes of code`);
}
