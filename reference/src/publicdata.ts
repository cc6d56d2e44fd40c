/**
 * D, the public data of a batch: a list of words that L1 receives.
 * D = header | fee accounts | L1 operations | transfers | opens | exits.
 * Source: docs/protocol.md, "Public data D".
 */
import { type Fields, type Layout, pack, requireWidth, unpack } from "./bytes.js";
import { requireElement } from "./field.js";
import { Kind } from "./transaction.js";

/** Kinds of L1 operations. */
export const L1Kind = { deposit: 1n, depositOpen: 2n, forcedExit: 3n } as const;

const COUNTS = { feeAccounts: 32, l1Ops: 32, transfers: 32, opens: 32, exits: 32 } satisfies Layout;
const FEE_ACCOUNT = { token: 32, index: 32 } satisfies Layout;
const L1_OP = { kind: 4, status: 1, index: 32, token: 32, amount: 128 } satisfies Layout;
const RECORD = { kind: 4, from: 32, to: 32, amount: 40, fee: 16 } satisfies Layout;
const RECORD_BITS = 124;
const EXIT = { l1: 160, token: 32 } satisfies Layout;
const AMOUNT = { amount: 128 } satisfies Layout;
const ADDRESS = { l1: 160 } satisfies Layout;

export type FeeAccount = Fields<typeof FEE_ACCOUNT>;
export type L1Op = Fields<typeof L1_OP> & { l1: bigint; owner: bigint };
/** A transaction of any kind as it is published: amount is a Float40, fee a Float16. */
export type TransferRecord = Fields<typeof RECORD>;
export interface Open {
  owner: bigint;
  l1: bigint;
}
export type Exit = Fields<typeof EXIT> & { amount: bigint };

export interface Data {
  number: bigint;
  oldRoot: bigint;
  newRoot: bigint;
  domain: bigint;
  feeAccounts: FeeAccount[];
  l1Ops: L1Op[];
  transfers: TransferRecord[];
  opens: Open[];
  exits: Exit[];
}

/** Words of each section: f, 3q, ⌈t/2⌉, 2o, 2x. */
export interface Sections {
  header: bigint[];
  feeAccounts: bigint[];
  l1Ops: bigint[];
  transfers: bigint[];
  opens: bigint[];
  exits: bigint[];
}

function element(name: string, value: bigint): bigint {
  requireElement(name, value);
  return value;
}

/** Five words of header. */
function header(d: Data): bigint[] {
  requireWidth("number", d.number, 32);
  const counts = pack(COUNTS, {
    feeAccounts: BigInt(d.feeAccounts.length),
    l1Ops: BigInt(d.l1Ops.length),
    transfers: BigInt(d.transfers.length),
    opens: BigInt(d.opens.length),
    exits: BigInt(d.exits.length),
  });
  return [d.number, element("old root", d.oldRoot), element("new root", d.newRoot), element("domain", d.domain), counts];
}

/** Three words of an L1 operation. */
export function l1OpWords({ l1, owner, ...head }: L1Op): bigint[] {
  return [pack(L1_OP, head), pack(ADDRESS, { l1 }), element("owner", owner)];
}

/** Two records of 124 bits in a word, the even one low. */
function pairs(records: readonly TransferRecord[]): bigint[] {
  const packed = records.map((record) => pack(RECORD, record));
  const out: bigint[] = [];
  for (let i = 0; i < packed.length; i += 2) {
    out.push((packed[i] as bigint) + ((packed[i + 1] ?? 0n) << BigInt(RECORD_BITS)));
  }
  return out;
}

export function sections(d: Data): Sections {
  return {
    header: header(d),
    feeAccounts: d.feeAccounts.map((a) => pack(FEE_ACCOUNT, a)),
    l1Ops: d.l1Ops.flatMap(l1OpWords),
    transfers: pairs(d.transfers),
    opens: d.opens.flatMap(({ owner, l1 }) => [element("owner", owner), pack(ADDRESS, { l1 })]),
    exits: d.exits.flatMap(({ l1, token, amount }) => [pack(EXIT, { l1, token }), pack(AMOUNT, { amount })]),
  };
}

/** D as words. */
export function encode(d: Data): bigint[] {
  const s = sections(d);
  return [...s.header, ...s.feeAccounts, ...s.l1Ops, ...s.transfers, ...s.opens, ...s.exits];
}

/** The batch that words state; throws when they are not exactly the encoding of one. */
export function parse(words: readonly bigint[]): Data {
  words.forEach((w) => requireElement("word", w));
  let next = 0;
  const take = (): bigint => {
    const w = words[next++];
    if (w === undefined) throw new RangeError("D is shorter than its counts say");
    return w;
  };
  const times = <T>(count: bigint, read: () => T): T[] => {
    if (count > BigInt(words.length * 2)) throw new RangeError("D is shorter than its counts say");
    return Array.from({ length: Number(count) }, read);
  };

  const number = take();
  requireWidth("number", number, 32);
  const oldRoot = take();
  const newRoot = take();
  const domain = take();
  const counts = unpack(COUNTS, take());

  const feeAccounts = times(counts.feeAccounts, () => unpack(FEE_ACCOUNT, take()));
  const l1Ops = times(counts.l1Ops, () => ({ ...unpack(L1_OP, take()), ...unpack(ADDRESS, take()), owner: take() }));
  const transfers = times((counts.transfers + 1n) / 2n, take).flatMap((w) => [
    unpack(RECORD, BigInt.asUintN(RECORD_BITS, w)),
    unpack(RECORD, w >> BigInt(RECORD_BITS)),
  ]);
  if (counts.transfers % 2n === 1n) requireUnused(transfers.pop() as TransferRecord);
  const opens = times(counts.opens, () => ({ owner: take(), ...unpack(ADDRESS, take()) }));
  const exits = times(counts.exits, () => ({ ...unpack(EXIT, take()), ...unpack(AMOUNT, take()) }));
  if (next !== words.length) throw new RangeError("D is longer than its counts say");

  const data = { number, oldRoot, newRoot, domain, feeAccounts, l1Ops, transfers, opens, exits };
  requireConsistent(data);
  return data;
}

function requireUnused(record: TransferRecord): void {
  if (Object.values(record).some((field) => field !== 0n)) {
    throw new RangeError("the second half of an odd last word is not 0");
  }
}

/** Sections that belong together. What else must hold of a batch is for its proof to say. */
function requireConsistent(d: Data): void {
  for (const { kind } of d.l1Ops) {
    if (!Object.values<bigint>(L1Kind).includes(kind)) throw new RangeError(`no L1 operation has kind ${kind}`);
  }
  for (const record of d.transfers) requireRecord(record);
  const count = (...kinds: bigint[]): number => d.transfers.filter(({ kind }) => kinds.includes(kind)).length;
  const forced = d.l1Ops.filter(({ kind, status }) => kind === L1Kind.forcedExit && status === 1n).length;
  if (d.opens.length !== count(Kind.open)) throw new RangeError("the number of opens is not that of their records");
  if (d.exits.length !== count(Kind.exit, Kind.exitAll) + forced) {
    throw new RangeError("the number of exits is not that of their records");
  }
}

function requireRecord({ kind, to, amount }: TransferRecord): void {
  if (kind === Kind.none || kind > Kind.exitAll) throw new RangeError(`no transaction has kind ${kind}`);
  const exits = kind === Kind.exit || kind === Kind.exitAll;
  if (exits && to !== 0n) throw new RangeError("an exit has a receiver");
  if (kind === Kind.exitAll && amount !== 0n) throw new RangeError("an exit-all has an amount");
}
