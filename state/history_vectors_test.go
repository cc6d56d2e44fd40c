package state_test

import (
	"encoding/hex"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/golden"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// historyVectors are random histories of signed transactions, good and bad, with
// all that a batch leaves. reference/ executes them too.
type historyVectors struct {
	Domain    settle.Element  `json:"domain"`
	Shape     settle.Capacity `json:"shape"` // of c
	Slots     int             `json:"slots"` // of C
	Histories []history       `json:"histories"`
}

type history struct {
	Name        string            `json:"name"`
	Number      uint32            `json:"number"` // of the batch before the first
	Accounts    []accountVector   `json:"accounts"`
	FeeAccounts []feeVector       `json:"fee_accounts"`
	Root        settle.Element    `json:"root"`
	Batches     []historyBatch    `json:"batches"`
	Aggregate   [3]settle.Element `json:"aggregate"` // C, Z, V of all batches
}

type feeVector struct {
	Token uint32 `json:"token"`
	Index uint32 `json:"index"`
}

type historyBatch struct {
	Steps     []historyStep     `json:"steps"`
	Words     []settle.Element  `json:"words"`
	Inputs    [3]settle.Element `json:"inputs"` // c, ζ, v
	ExitsRoot *settle.Hash      `json:"exits_root,omitempty"`
}

// historyStep is one transaction, and whether it is executed.
type historyStep struct {
	Kind       uint8          `json:"kind"`
	From       uint32         `json:"from"`
	To         uint32         `json:"to"`
	Assigned   uint32         `json:"assigned"` // slot of an open
	Token      uint32         `json:"token"`
	Amount     uint64         `json:"amount_float40"`
	Fee        uint16         `json:"fee_float16"`
	Nonce      uint64         `json:"nonce"`
	ValidUntil uint32         `json:"valid_until"`
	ToOwner    settle.Element `json:"to_owner"`
	ToL1       settle.Address `json:"to_l1"`
	PublicKey  settle.Element `json:"public_key"`
	Signature  string         `json:"signature"`
	ID         settle.Hash    `json:"id"`
	Refused    string         `json:"refused,omitempty"` // the code
}

const slotTaken = "slot_taken" // no code: no fault of the sender

// chance draws from a stream that does not depend on a version of Go.
type chance struct{ source *rand.PCG }

func (c chance) below(n uint64) uint64 { return c.source.Uint64() % n }

func pick[T any](c chance, of ...T) T { return of[c.below(uint64(len(of)))] }

const historyKeys = 6

// historian makes a history out of chance.
type historian struct {
	t      *testing.T
	chance chance
	hasher *poseidon.Hasher
	domain fr.Element
	shape  settle.Capacity
	keys   []schnorr.PrivateKey
	state  *state.State
	live   []settle.AccountIndex
}

func (h *historian) owner() schnorr.PrivateKey { return h.keys[h.chance.below(historyKeys)] }

func (h *historian) keyOf(owner fr.Element) schnorr.PrivateKey {
	for _, k := range h.keys {
		if k.Public().X == owner {
			return k
		}
	}
	return h.owner()
}

func (h *historian) account(i int, extreme bool) state.Account {
	a := state.Account{
		Owner: h.owner().Public().X, Token: pick(h.chance, settle.TokenID(0), 0, 7), L1: settle.Address{19: byte(1 + h.chance.below(2))},
		Balance: pick(h.chance, settle.NewAmount(1000), settle.NewAmount(1<<60), settle.NewAmount(1<<60)),
	}
	switch i {
	case 0, 1: // the fee accounts of tokens 0 and 7
		a.Token = settle.TokenID(7 * i)
	case 5: // has none
		a.Token = 9
	}
	if extreme {
		a.Nonce = pick(h.chance, 0, 7, settle.MaxNonce-2, settle.MaxNonce-1, settle.MaxNonce)
		a.Balance = pick(h.chance, a.Balance, a.Balance, settle.Amount{Hi: math.MaxUint64, Lo: math.MaxUint64 - 9})
	}
	return a
}

func (h *historian) transaction(b *state.Batch) state.Transaction {
	c := h.chance
	from := pick(c, h.live...)
	for range 8 { // mostly one that can pay
		if a := b.Account(from); a.Token != 9 && a.Nonce < settle.MaxNonce && (a.Balance.Hi != 0 || a.Balance.Lo >= 1<<40) {
			break
		}
		from = pick(c, h.live...)
	}
	sender := b.Account(from)
	to := pick(c, h.live...)
	for range 8 { // mostly of one token
		if b.Account(to).Token == sender.Token {
			break
		}
		to = pick(c, h.live...)
	}
	receiver := b.Account(to)
	tx := state.Transaction{
		Kind: pick(c, settle.KindTransfer, 1, 1, 1, 1, settle.KindOpen, 2, settle.KindExit, 3, settle.KindExitAll),
		From: from, To: to, Token: sender.Token, Nonce: sender.Nonce, ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
		Amount: state.Float40(pick(c, c.below(100), c.below(100), c.below(1000), 5<<35|c.below(1<<20), 1<<35|c.below(20))),
		Fee:    state.Float16(pick(c, 0, c.below(10), 2<<11|c.below(5))),
	}
	switch tx.Kind {
	case settle.KindOpen:
		tx.To, tx.ToOwner, tx.ToL1 = 0, h.owner().Public().X, settle.Address{0: 0xfe, 19: byte(c.below(3))}
		next, err := b.NextIndex()
		if err != nil || c.below(4) == 0 { // any empty slot will do
			next = settle.AccountIndex(c.below(100))
		}
		for !b.Account(next).IsEmpty() {
			next++
		}
		tx.Assigned = next
	case settle.KindExit, settle.KindExitAll:
		tx.To, tx.ToOwner, tx.ToL1 = 0, fr.Element{}, sender.L1
		if tx.Kind == settle.KindExitAll {
			tx.Amount = 0
		}
	}
	return tx
}

// spoil changes one field, sometimes to something that is still good.
func (h *historian) spoil(b *state.Batch, tx *state.Transaction) {
	c := h.chance
	switch c.below(45) {
	case 0:
		tx.Kind = settle.Kind(c.below(16))
	case 1:
		tx.From = settle.AccountIndex(c.below(1 << 32))
	case 2:
		tx.To = settle.AccountIndex(pick(c, c.below(1<<32), 0, 1))
	case 3:
		tx.Token = settle.TokenID(pick(c, c.below(1<<32), 0, 7, 9))
	case 4:
		tx.Nonce = pick(c, tx.Nonce+1, tx.Nonce-1, settle.Nonce(c.below(1<<40))) & settle.MaxNonce
	case 5, 6:
		tx.ValidUntil = pick(c, b.Number(), b.Number()-1, b.Number()+1, 1, math.MaxUint32)
	case 7:
		tx.ToOwner = pick(c, fr.Element{}, h.owner().Public().X, element(2), element(3)) // 2 or 3 may be on no point
	case 8:
		tx.ToL1 = settle.Address{19: byte(c.below(3))}
	case 9:
		tx.PublicKey = pick(c, h.owner().Public().X, fr.Element{}, element(2))
	case 10, 11:
		tx.Amount = state.Float40(pick(c, c.below(1<<40), 31<<35|1<<34, 31<<35, 7<<35, 28<<35|3402823669, 28<<35|34028236692, 1<<35|1, 0))
	case 12:
		tx.Fee = state.Float16(pick(c, c.below(1<<16), 31<<11|2047, 3<<11, 1<<11|1))
	case 13:
		tx.To = pick(c, h.live...) // perhaps another token
		tx.ToOwner, tx.ToL1 = b.Account(tx.To).Owner, b.Account(tx.To).L1
	case 14, 23, 24:
		if tx.Kind == settle.KindOpen {
			tx.Assigned = pick(c, h.live...)
		}
	case 15, 16:
		tx.Amount = 0
	case 19, 20:
		tx.Amount = pick(c, state.Float40(31<<35|1<<34), 28<<35|34028236692) // 2^128 and more
	case 17, 18, 21, 22: // perhaps too much for the receiver
		for _, to := range h.live {
			if a := b.Account(to); a.Token == tx.Token && tx.Kind == settle.KindTransfer && a.Balance.Cmp(b.Account(tx.To).Balance) > 0 {
				tx.To, tx.ToOwner, tx.ToL1, tx.Amount = to, a.Owner, a.L1, 99
			}
		}
	}
}

// sign signs, mostly well.
func (h *historian) sign(tx *state.Transaction) (signature [schnorr.SignatureSize]byte) {
	message := tx.Message(h.domain)
	spoilt := h.chance.below(60)
	if spoilt == 0 {
		message.Domain.SetUint64(1)
	}
	good, err := schnorr.Sign(h.keyOf(tx.PublicKey), message, zeroReader{})
	require.NoError(h.t, err)
	signature = good.Bytes()
	s := new(big.Int).SetBytes(signature[32:])
	q, _ := new(big.Int).SetString("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", 16)
	switch spoilt {
	case 1:
		signature[h.chance.below(schnorr.SignatureSize)] ^= 1
	case 2:
		s.Sub(q, s).FillBytes(signature[32:])
	case 3:
		s.Add(q, s).FillBytes(signature[32:]) // the same point, not in [1, q)
	case 4:
		clear(signature[32:])
	}
	return signature
}

// step executes a signed transaction and says how that went.
func (h *historian) step(b *state.Batch, tx state.Transaction, signature []byte) (code string) {
	var err error
	if tx.Signature, err = schnorr.ParseSignature(signature); err == nil {
		if err = tx.Verify(h.domain); err == nil {
			err = b.Step(tx)
		}
	}
	if err == nil {
		return ""
	}
	if refusal, ok := settle.AsRefusal(err); ok {
		return string(refusal.Code)
	}
	require.ErrorIs(h.t, err, state.ErrSlotTaken)
	return slotTaken
}

func (h *historian) batch(transactions int) (out historyBatch, inputs [3]fr.Element) {
	b := h.state.Begin()
	for range transactions {
		tx := h.transaction(b)
		h.spoil(b, &tx)
		signature := h.sign(&tx)
		x := historyStep{
			Kind: uint8(tx.Kind), From: uint32(tx.From), To: uint32(tx.To), Assigned: uint32(tx.Assigned), Token: uint32(tx.Token),
			Amount: uint64(tx.Amount), Fee: uint16(tx.Fee), Nonce: uint64(tx.Nonce), ValidUntil: uint32(tx.ValidUntil),
			ToOwner: tx.ToOwner.Bytes(), ToL1: tx.ToL1, PublicKey: tx.PublicKey.Bytes(), ID: tx.ID(h.domain),
			Signature: "0x" + hex.EncodeToString(signature[:]),
		}
		x.Refused = h.step(b, tx, signature[:])
		if x.Refused == "" && tx.Kind == settle.KindOpen {
			h.live = append(h.live, tx.Assigned)
		}
		out.Steps = append(out.Steps, x)
	}
	trace, err := b.Seal()
	require.NoError(h.t, err)
	d := trace.Data()
	for _, w := range d.Words() {
		out.Words = append(out.Words, w.Bytes())
	}
	inputs, err = d.PublicInputs(h.hasher, h.shape)
	require.NoError(h.t, err)
	for i := range inputs {
		out.Inputs[i] = inputs[i].Bytes()
	}
	if len(d.Exits) > 0 {
		root := publicdata.ExitsRoot(d.Header.Number, d.Exits)
		out.ExitsRoot = &root
	}
	return out, inputs
}

// history begins after batch number with accounts at the given slots.
func (h *historian) history(name string, number settle.BatchNumber, batches, transactions int, extreme bool, slots ...settle.AccountIndex) history {
	v := history{Name: name, Number: uint32(number)}
	h.live = slots
	var accounts []state.Indexed
	for i, index := range slots {
		a := h.account(i, extreme)
		accounts = append(accounts, state.Indexed{Index: index, Account: a})
		leaf := a.Leaf(h.hasher)
		v.Accounts = append(v.Accounts, accountVector{
			Index: uint32(index), Owner: a.Owner.Bytes(), Token: uint32(a.Token), Nonce: uint64(a.Nonce), Balance: a.Balance, L1: a.L1, Leaf: leaf.Bytes(),
		})
	}
	v.FeeAccounts = []feeVector{{0, uint32(slots[0])}, {7, uint32(slots[1])}}
	var err error
	h.state, err = state.Load(h.hasher, h.domain, number, accounts, map[settle.TokenID]settle.AccountIndex{0: slots[0], 7: slots[1]})
	require.NoError(h.t, err)
	root := h.state.Root()
	v.Root = root.Bytes()
	var all [][3]fr.Element
	for range batches {
		b, inputs := h.batch(transactions)
		v.Batches, all = append(v.Batches, b), append(all, inputs)
	}
	aggregate, err := publicdata.AggregateInputs(h.hasher, historySlots, all)
	require.NoError(h.t, err)
	for i := range aggregate {
		v.Aggregate[i] = aggregate[i].Bytes()
	}
	return v
}

const historySlots = 6

func makeHistories(t *testing.T) historyVectors {
	h := historian{
		t: t, chance: chance{rand.NewPCG(1, 2)}, hasher: poseidon.New(), domain: publicdata.Domain(1337, settle.Address{0: 0xfe, 19: 0x01}),
		shape: settle.Capacity{Transfers: 25, FeeAccounts: 3, Opens: 24, Exits: 24, L1Ops: 1},
	}
	for i := range historyKeys {
		h.keys = append(h.keys, privateKey(t, int64(100+i)))
	}
	const last = math.MaxUint32
	return historyVectors{
		Domain: h.domain.Bytes(), Shape: h.shape, Slots: historySlots,
		Histories: []history{
			h.history("from genesis", 0, 6, 24, false, 0, 1, 2, 3, 4, 5, 6, 7),
			h.history("accounts far apart", 1000, 4, 24, false, 3, 17, 64, 65, 1<<20, 1<<31, last),
			h.history("last nonces, full balances", 41, 6, 24, true, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
			h.history("last indices", 5, 3, 24, false, 0, 1, 2, last-2),
			h.history("last batches", last-2, 2, 24, true, 0, 1, 2, 3, 4, 5),
			h.history("an empty batch", 0, 1, 0, false, 0, 1),
		},
	}
}

func TestHistoryVectors(t *testing.T) {
	made := makeHistories(t)
	requireCoverage(t, made)
	golden.Hold(t, "testdata/history.json", golden.Lines(t, made), *update)
}

// requireCoverage asks that every kind is executed and every refusal occurs.
func requireCoverage(t *testing.T, v historyVectors) {
	executed, refused, total := map[uint8]int{}, map[string]int{}, 0
	for _, x := range v.Histories {
		for _, b := range x.Batches {
			for _, s := range b.Steps {
				total++
				if s.Refused == "" {
					executed[s.Kind]++
				}
				refused[s.Refused]++
			}
		}
	}
	t.Logf("%d transactions, executed by kind %v, by code %v", total, executed, refused)
	for kind := settle.KindTransfer; kind <= settle.KindExitAll; kind++ {
		require.GreaterOrEqual(t, executed[uint8(kind)], 20, kind.String())
	}
	for _, code := range []settle.Code{
		settle.CodeUnsupportedKind, settle.CodeInvalidField, settle.CodeNoFeeAccount, settle.CodeExpired, settle.CodeAmountUnfit,
		settle.CodeUnknownAccount, settle.CodeBadSignature, settle.CodeSignatureEncoding, settle.CodeWrongToken, settle.CodeStaleNonce,
		settle.CodeNonceTooFar, settle.CodeInsufficientBalance, settle.CodeReceiverMismatch, settle.CodeZeroAmount, settle.CodeBalanceOverflow, slotTaken,
	} {
		require.NotZero(t, refused[string(code)], code)
	}
}
