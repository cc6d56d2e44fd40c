package transition

import (
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// situation is what FuzzStateAndCircuit varies: a state and what is done to it. Every
// byte means something; numbers beyond a table begin it again.
type situation struct {
	Mode     uint8 // of genesisFile, moreSlots, vacantFee
	Number   uint8 // of the state, in fuzzNumbers
	Layout   uint8 // of the accounts' indices, in fuzzLayouts
	Forced   uint8 // which of the refused transactions is forced upon the circuit
	accounts []fuzzAccount
	ops      []fuzzOp
}

// fuzzAccount holds places in tables. The first account of a token takes its fees
// unless bit 7 of L1 is set.
type fuzzAccount struct{ Owner, Token, Nonce, Balance, L1 uint8 }

type fuzzOp struct {
	Kind   uint8 // opTransfer…
	From   uint8 // place of the sender
	To     uint8 // of the receiver; of an open its slot, from 128 on the next index; of opAgain the transaction
	Fault  uint8 // faultExpired…; from faults to twice that many, none
	How    uint8 // amount: how mod 8; fee: how / 8 mod 4
	Fee    uint16
	Amount uint64
}

// Bits of Mode.
const (
	genesisFile = 1 << iota // a state that a genesis file makes
	moreSlots               // two fee accounts, opens and exits in a batch
	vacantFee               // a forced transaction without fee account pays to an empty slot
)

const (
	opTransfer = iota
	opOpen
	opExit
	opExitAll
	opSeal      // no transaction: the batch ends here
	opAgain     // a transaction that was submitted before, refused or not
	opOtherKind // a kind that does not exist
	opKinds
)

// Ways to choose an amount (How mod 8) and a fee (How / 8 mod 4).
const (
	amountRaw     = iota // the 40 bits
	amountSmall          // below 16
	amountWhole          // the largest float that the balance covers
	amountRest           // the same beside the fee
	amountFills          // the largest float that the receiver has room for
	amountOver           // one unit of its last digit more than amountWhole
	amountDecimal        // a mantissa of 10 bits, any exponent
	amountNothing
	feeRaw   = 0 << 3
	feeSmall = 1 << 3 // below 8
	feeNone  = 2 << 3
	feeWhole = 3 << 3 // the largest float that the balance covers
)

// Faults. Some are none: a transaction may be good for this batch only.
const (
	faultNone = iota
	faultExpired
	faultLastBatch
	faultNonceAhead
	faultNonceBehind
	faultLastNonce
	faultToken
	faultNoOwner
	faultOwner
	faultL1
	faultKey      // key and signature of somebody else
	faultReceiver // an open or exit that signs a receiver
	faultAmount   // an exit-all that signs an amount
	faultZero     // an amount of 0 that is not written as 0
	faultOtherKey // from here on something else was signed, or by somebody else
	faultSignedKind
	faultSignedFrom
	faultSignedTo
	faultSignedToken
	faultSignedAmount
	faultSignedFee
	faultSignedNonce
	faultSignedExpiry
	faultSignedOwner
	faultSignedL1
	faultSignedDomain
	faults
)

const (
	fuzzMaxAccounts = 6
	fuzzMaxOps      = 16
	fuzzMaxBatches  = 3
)

func fuzzNumbers() []settle.BatchNumber { return []settle.BatchNumber{0, 41, 1<<32 - 3, 1<<32 - 2} }

func fuzzTokens() []settle.TokenID { return []settle.TokenID{0, 1, 1<<32 - 1} }

func fuzzNonces() []settle.Nonce {
	return []settle.Nonce{0, 1, 1<<32 - 1, 1 << 32, settle.MaxNonce - 2, settle.MaxNonce - 1, settle.MaxNonce}
}

func fuzzBalances() []settle.Amount {
	return []settle.Amount{
		settle.NewAmount(1000), {}, settle.NewAmount(1), settle.NewAmount(2), settle.NewAmount(1 << 40), amountOf(64, 1), amountOf(64, 0),
		amountOf(127, 0), amountOf(128, 1001), amountOf(128, 2), amountOf(128, 1),
	}
}

func fuzzL1s() []settle.Address { return []settle.Address{{19: 1}, {0: 255}, {}, {19: 2}} }

// fuzzIndex is the index of account i of n: dense, apart, with gaps, at the end.
func fuzzIndex(layout uint8, i, n int) settle.AccountIndex {
	switch layout % 4 {
	case 1:
		return settle.AccountIndex(1<<16 + 3*i)
	case 2:
		return settle.AccountIndex(5 * i)
	case 3:
		return settle.AccountIndex(1<<32 - 1 - 3*(n-1-i))
	}
	return settle.AccountIndex(i)
}

func at[T any](table []T, place uint8) T { return table[int(place)%len(table)] }

type situationHeader struct{ Mode, Number, Layout, Forced, Accounts uint8 }

// bytes is the inverse of parseSituation.
func (x situation) bytes(t testing.TB) []byte {
	var out []byte
	put := func(v any) {
		var err error
		out, err = binary.Append(out, binary.LittleEndian, v)
		require.NoError(t, err)
	}
	put(situationHeader{x.Mode, x.Number, x.Layout, x.Forced, uint8(len(x.accounts) - 1)})
	put(x.accounts)
	put(x.ops)
	return out
}

// parseSituation reads any bytes; what is missing at the end is 0, or not there.
func parseSituation(data []byte) situation {
	take := func(v any) bool {
		n, err := binary.Decode(data, binary.LittleEndian, v)
		data = data[min(max(n, 0), len(data)):]
		return err == nil
	}
	var h situationHeader
	take(&h)
	x := situation{Mode: h.Mode, Number: h.Number, Layout: h.Layout, Forced: h.Forced, accounts: make([]fuzzAccount, int(h.Accounts)%fuzzMaxAccounts+1)}
	for i := range x.accounts {
		take(&x.accounts[i])
	}
	for op := new(fuzzOp); len(x.ops) < fuzzMaxOps && take(op); {
		x.ops = append(x.ops, *op)
	}
	return x
}

// genesis reports whether the state is one that a genesis file makes.
func (x situation) genesis() bool { return x.Mode&genesisFile != 0 }

func (x situation) shape(t testing.TB) Shape {
	if x.Mode&moreSlots != 0 {
		return forgeShape()
	}
	return mustShape(t, "tiny")
}

// begin returns the state. That of a genesis file has dense indices, nonces of 0, owners
// with keys, l1 addresses, and less than 2^128 of a token.
func (x situation) begin(t testing.TB) *strange {
	s := &strange{fees: map[settle.TokenID]settle.AccountIndex{}, domain: publicdata.Domain(31337, settle.Address{0: 255, 19: 1}), number: at(fuzzNumbers(), x.Number)}
	for i := range int64(3) { // 1 is the key of padding slots, too
		key, err := schnorr.NewPrivateKeyFromInt(big.NewInt(i + 1))
		require.NoError(t, err)
		s.keys = append(s.keys, key)
	}
	owners := []fr.Element{s.keys[0].Public().X, s.keys[1].Public().X, s.keys[2].Public().X, offCurve()}
	l1s, layout := fuzzL1s(), x.Layout
	if x.genesis() {
		s.number, layout, owners, l1s = 0, 0, owners[:3], []settle.Address{l1s[0], l1s[1], l1s[3]}
	}
	sums := map[settle.TokenID]settle.Amount{}
	for i, seed := range x.accounts {
		a := state.Account{
			Owner: at(owners, seed.Owner), Token: at(fuzzTokens(), seed.Token), Nonce: at(fuzzNonces(), seed.Nonce),
			Balance: at(fuzzBalances(), seed.Balance), L1: at(l1s, seed.L1&127),
		}
		if x.genesis() {
			a.Nonce = 0
			sum, ok := sums[a.Token].Add(a.Balance)
			if !ok {
				sum = amountOf(128, 1)
				a.Balance, _ = sum.Sub(sums[a.Token])
			}
			sums[a.Token] = sum
		}
		index := fuzzIndex(layout, i, len(x.accounts))
		if _, ok := s.fees[a.Token]; !ok && seed.L1>>7 == 0 {
			s.fees[a.Token] = index
		}
		s.accounts = append(s.accounts, state.Indexed{Index: index, Account: a})
	}
	return s
}

// largestFloat is the largest float up to value.
func largestFloat(value *big.Int, mantissaBits uint) uint64 {
	mantissa, exponent, most := new(big.Int).Set(value), uint64(0), uint64(1)<<mantissaBits-1
	for ; uint(mantissa.BitLen()) > mantissaBits && exponent < 1<<state.ExponentBits-1; exponent++ {
		mantissa.Quo(mantissa, big.NewInt(10))
	}
	if mantissa.IsUint64() {
		most = min(most, mantissa.Uint64())
	}
	return exponent<<mantissaBits | most
}

// amounts chooses amount and fee of a transaction.
func (o fuzzOp) amounts(sender, receiver state.Account) (amount state.Float40, fee state.Float16) {
	balance := sender.Balance.Big()
	switch o.How & (3 << 3) {
	case feeRaw:
		fee = state.Float16(o.Fee)
	case feeSmall:
		fee = state.Float16(o.Fee % 8)
	case feeWhole:
		fee = state.Float16(largestFloat(balance, state.FeeMantissaBits))
	}
	largest := func(v *big.Int) state.Float40 { return state.Float40(largestFloat(v, state.AmountMantissaBits)) }
	switch o.How & 7 {
	case amountRaw:
		amount = state.Float40(o.Amount % (1 << settle.AmountBits))
	case amountSmall:
		amount = state.Float40(o.Amount % 16)
	case amountWhole:
		amount = largest(balance)
	case amountRest:
		if rest := new(big.Int).Sub(balance, fee.Value()); rest.Sign() > 0 {
			amount = largest(rest)
		}
	case amountFills:
		amount = largest(new(big.Int).Sub(amountOf(128, 1).Big(), receiver.Balance.Big()))
	case amountOver:
		amount = largest(balance) + 1
	case amountDecimal:
		amount = state.Float40(o.Amount%(1<<10) | o.Amount>>10%32<<state.AmountMantissaBits)
	}
	return amount, fee
}

// submission is a transaction, and what was signed by whom.
type submission struct {
	state.Transaction
	signer  schnorr.PrivateKey
	message schnorr.Message
}

// signed reports whether the key that the transaction names signed it.
func (x *submission) signed(domain fr.Element) bool {
	return x.message == x.Message(domain) && x.signer.Public().X == x.PublicKey
}

func (s *strange) keyOf(owner fr.Element) schnorr.PrivateKey {
	return s.keys[max(0, slices.IndexFunc(s.keys, func(k schnorr.PrivateKey) bool { return k.Public().X == owner }))]
}

// draw makes the transaction of an operation upon what the batch has executed.
func (z *fuzzed) draw(o fuzzOp) submission {
	tx := state.Transaction{Kind: settle.KindTransfer + settle.Kind(o.Kind%opKinds), From: at(z.places, o.From), To: at(z.places, o.To)}
	sender, receiver := z.batch.Account(tx.From), z.batch.Account(tx.To)
	tx.Token, tx.Nonce, tx.ToOwner, tx.ToL1 = sender.Token, sender.Nonce, receiver.Owner, receiver.L1
	tx.Amount, tx.Fee = o.amounts(sender, receiver)
	switch o.Kind % opKinds {
	case opOpen:
		tx.Assigned, tx.To = tx.To, 0
		if next, err := z.batch.NextIndex(); err == nil && o.To >= 128 {
			tx.Assigned = next
		}
		if tx.ToOwner.IsZero() || o.To >= 128 { // else the owner of the slot that is taken
			tx.ToOwner, tx.ToL1 = at(z.keys, o.To).Public().X, at(fuzzL1s(), o.To>>2)
		}
	case opExit, opExitAll:
		tx.To, tx.ToOwner, tx.ToL1 = 0, fr.Element{}, sender.L1
		if tx.Kind == settle.KindExitAll {
			tx.Amount = 0
		}
	case opOtherKind:
		tx.Kind = settle.Kind(o.Fault % (1 << settle.KindBits))
	}
	fault := o.Fault % (2 * faults)
	signer := z.keyOf(sender.Owner)
	z.spoil(&tx, fault, at(z.places, o.To))
	if fault == faultKey {
		signer = at(z.keys, o.To)
	}
	tx.PublicKey = signer.Public().X
	if fault == faultOtherKey {
		signer = at(z.keys, o.To)
	}
	other, domain := tx, z.domain
	if fault == faultSignedDomain {
		domain = publicdata.Domain(31337, settle.Address{0: 255, 19: 2})
	}
	missign(&other, fault, at(z.places, o.From+1))
	x := submission{Transaction: tx, signer: signer, message: other.Message(domain)}
	var err error
	x.Signature, err = schnorr.Sign(signer, x.message, rand0{})
	require.NoError(z.t, err)
	return x
}

// spoil changes what is signed.
func (z *fuzzed) spoil(tx *state.Transaction, fault uint8, place settle.AccountIndex) {
	switch fault {
	case faultExpired:
		tx.ValidUntil = z.batch.Number() - 1 // 0, no limit, in the first batch
	case faultLastBatch:
		tx.ValidUntil = z.batch.Number()
	case faultNonceAhead:
		tx.Nonce = (tx.Nonce + 1) & settle.MaxNonce
	case faultNonceBehind:
		tx.Nonce = (tx.Nonce - 1) & settle.MaxNonce
	case faultLastNonce:
		tx.Nonce = settle.MaxNonce
	case faultToken:
		tokens := fuzzTokens()
		tx.Token = tokens[(slices.Index(tokens, tx.Token)+1)%len(tokens)]
	case faultNoOwner:
		tx.ToOwner = fr.Element{}
	case faultOwner:
		tx.ToOwner = z.keys[0].Public().X
	case faultL1:
		tx.ToL1[7] ^= 1
	case faultReceiver:
		tx.To = place
	case faultAmount:
		tx.Amount = 1
	case faultZero:
		tx.Amount = 31 << state.AmountMantissaBits
	}
}

// missign makes of a transaction another one, whose signature it gets.
func missign(tx *state.Transaction, fault uint8, place settle.AccountIndex) {
	switch fault {
	case faultSignedKind:
		tx.Kind = tx.Kind%4 + 1
	case faultSignedFrom:
		tx.From = place
	case faultSignedTo:
		tx.To++
	case faultSignedToken:
		tx.Token++
	case faultSignedAmount:
		tx.Amount ^= 1
	case faultSignedFee:
		tx.Fee ^= 1
	case faultSignedNonce:
		tx.Nonce ^= 1
	case faultSignedExpiry:
		tx.ValidUntil ^= 1
	case faultSignedOwner:
		tx.ToOwner.Double(&tx.ToOwner)
	case faultSignedL1:
		tx.ToL1[19] ^= 1
	}
}
