// Package publicdata is the layout of D, the data of a batch that L1 sees and
// from which anybody can rebuild the state, and the evaluation argument that
// binds D to a proof by three field elements (c, ζ, v). It is the native twin
// of the Solidity library PublicData. docs/protocol.md gives every width.
package publicdata

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
)

// HeaderWords is the number of words of a header.
const HeaderWords = 5

// Words per record of each kind.
const (
	l1OpWords = 3
	openWords = 2
	exitWords = 2
)

// TransferRecordBits is the width of a transfer record; a word holds two.
const TransferRecordBits = settle.KindBits + 2*settle.IndexBits + settle.AmountBits + settle.FeeBits

// ErrMalformed reports words that are not the encoding of any Data.
var ErrMalformed = errors.New("malformed public data")

// Header opens D. Counts are not fields: they follow from the sections.
type Header struct {
	Number  settle.BatchNumber
	OldRoot fr.Element
	NewRoot fr.Element
	Domain  fr.Element
}

// FeeAccount names the account that is credited the fees of a token.
type FeeAccount struct {
	Token settle.TokenID
	Index settle.AccountIndex
}

// L1Op is an operation queued on L1. Applied is its status bit in D.
type L1Op struct {
	Kind    settle.L1Kind
	Applied bool
	Index   settle.AccountIndex
	Token   settle.TokenID
	Amount  settle.Amount
	L1      settle.Address // or the sender of a forced exit
	Owner   fr.Element
}

// Transfer is the record of an L2 transaction of any kind. Amount and Fee are
// packed floats (40 and 16 bits).
type Transfer struct {
	Kind   settle.Kind
	From   settle.AccountIndex
	To     settle.AccountIndex
	Amount uint64
	Fee    uint16
}

// Open gives the owner and l1 of an account that a transfer of kind open creates.
type Open struct {
	Owner fr.Element
	L1    settle.Address
}

// Exit is a payment claimable on L1.
type Exit struct {
	L1     settle.Address
	Token  settle.TokenID
	Amount settle.Amount
}

// Data is D = header | fee accounts | L1 operations | transfers | opens | exits.
type Data struct {
	Header      Header
	FeeAccounts []FeeAccount
	L1Ops       []L1Op
	Transfers   []Transfer
	Opens       []Open
	Exits       []Exit
}

// Record packs a transfer record: kind, from, to, amount, fee.
func (t Transfer) Record() fr.Element { return Pack(t.fields()...) }

func (t Transfer) fields() []Field {
	return []Field{
		U(uint64(t.Kind), settle.KindBits), U(uint64(t.From), settle.IndexBits), U(uint64(t.To), settle.IndexBits),
		U(t.Amount, settle.AmountBits), U(uint64(t.Fee), settle.FeeBits),
	}
}

// Length is the number of words of D by its counts.
func Length(feeAccounts, l1Ops, transfers, opens, exits int) int {
	return HeaderWords + feeAccounts + l1OpWords*l1Ops + (transfers+1)/2 + openWords*opens + exitWords*exits
}

func (d *Data) header() []fr.Element {
	count := func(n int) Field { return U(uint64(n), settle.CountBits) }
	return []fr.Element{
		Pack(U(uint64(d.Header.Number), settle.BatchBits)),
		d.Header.OldRoot,
		d.Header.NewRoot,
		d.Header.Domain,
		Pack(count(len(d.FeeAccounts)), count(len(d.L1Ops)), count(len(d.Transfers)), count(len(d.Opens)), count(len(d.Exits))),
	}
}

// sections returns the words behind the header, section by section.
func (d *Data) sections() [5][]fr.Element {
	var s [5][]fr.Element
	for _, f := range d.FeeAccounts {
		s[0] = append(s[0], Pack(U(uint64(f.Token), settle.TokenBits), U(uint64(f.Index), settle.IndexBits)))
	}
	for _, op := range d.L1Ops {
		s[1] = append(s[1], op.words()...)
	}
	for i := 0; i < len(d.Transfers); i += 2 {
		pair := d.Transfers[i].fields()
		if i+1 < len(d.Transfers) {
			pair = append(pair, d.Transfers[i+1].fields()...)
		}
		s[2] = append(s[2], Pack(pair...))
	}
	for _, o := range d.Opens {
		s[3] = append(s[3], o.Owner, Pack(Bytes(o.L1[:])))
	}
	for _, x := range d.Exits {
		s[4] = append(s[4], Pack(Bytes(x.L1[:]), U(uint64(x.Token), settle.TokenBits)), Pack(Field{x.Amount.Big(), settle.BalanceBits}))
	}
	return s
}

func (op L1Op) words() []fr.Element {
	status := uint64(0)
	if op.Applied {
		status = 1
	}
	return []fr.Element{
		Pack(U(uint64(op.Kind), settle.KindBits), U(status, 1), U(uint64(op.Index), settle.IndexBits),
			U(uint64(op.Token), settle.TokenBits), Field{op.Amount.Big(), settle.BalanceBits}),
		Pack(Bytes(op.L1[:])),
		op.Owner,
	}
}

// Words returns D: 5 + f + 3q + ⌈t/2⌉ + 2o + 2x elements.
func (d *Data) Words() []fr.Element {
	words := d.header()
	for _, s := range d.sections() {
		words = append(words, s...)
	}
	return words
}

// Parse reads D, or returns ErrMalformed. It accepts exactly what Words returns of
// data in which each open and exit has its record (CheckRecords).
func Parse(words []fr.Element) (*Data, error) {
	if len(words) < HeaderWords {
		return nil, fmt.Errorf("%w: %d words, a header has %d", ErrMalformed, len(words), HeaderWords)
	}
	d := new(Data)
	number := unpack(words[0])
	d.Header = Header{
		Number:  settle.BatchNumber(number.uint(settle.BatchBits)),
		OldRoot: words[1], NewRoot: words[2], Domain: words[3],
	}
	n, err := counts(words)
	if err := errors.Join(number.end("batch number"), err); err != nil {
		return nil, err
	}
	if want := Length(n[0], n[1], n[2], n[3], n[4]); want != len(words) {
		return nil, fmt.Errorf("%w: %d words, its counts give %d", ErrMalformed, len(words), want)
	}
	r := &reader{words: words[HeaderWords:]}
	for range n[0] {
		d.FeeAccounts = append(d.FeeAccounts, r.feeAccount())
	}
	for range n[1] {
		d.L1Ops = append(d.L1Ops, r.l1Op())
	}
	for len(d.Transfers) < n[2] {
		d.Transfers = append(d.Transfers, r.transfers(n[2]-len(d.Transfers))...)
	}
	for range n[3] {
		d.Opens = append(d.Opens, r.open())
	}
	for range n[4] {
		d.Exits = append(d.Exits, r.exit())
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := d.CheckRecords(); err != nil {
		return nil, err
	}
	return d, nil
}

// CheckRecords reports as ErrMalformed data in which the sections do not belong
// together: as many opens as transfers of kind open, as many exits as applied forced
// exits and transfers of both kinds of exit; an exit has no receiver, exit-all no
// amount in its record. The circuit proves it of every settled batch, so the
// contract, which takes counts from the header, does not look at kinds.
func (d *Data) CheckRecords() error {
	opens, exits := 0, 0
	for i, op := range d.L1Ops {
		if op.Kind < settle.L1Deposit || op.Kind > settle.L1ForcedExit {
			return fmt.Errorf("%w: L1 operation %d of kind %d", ErrMalformed, i, op.Kind)
		}
		if op.Kind == settle.L1ForcedExit && op.Applied {
			exits++
		}
	}
	for i, t := range d.Transfers {
		switch t.Kind {
		case settle.KindTransfer:
		case settle.KindOpen:
			opens++
		case settle.KindExit, settle.KindExitAll:
			exits++
			if t.To != 0 || t.Kind == settle.KindExitAll && t.Amount != 0 {
				return fmt.Errorf("%w: transfer %d is an %s to account %d with amount %#x, expected to 0, and amount 0 for exit-all", ErrMalformed, i, t.Kind, t.To, t.Amount)
			}
		default:
			return fmt.Errorf("%w: transfer %d of kind %d", ErrMalformed, i, t.Kind)
		}
	}
	if opens != len(d.Opens) || exits != len(d.Exits) {
		return fmt.Errorf("%w: %d opens and %d exits where its records have %d and %d", ErrMalformed, len(d.Opens), len(d.Exits), opens, exits)
	}
	return nil
}

// counts reads the numbers of records of each section from a header.
func counts(words []fr.Element) (n [5]int, err error) {
	u := unpack(words[HeaderWords-1])
	for i := range n {
		n[i] = int(u.uint(settle.CountBits))
	}
	return n, u.end("counts")
}

// reader takes records off words and keeps the first error.
type reader struct {
	words []fr.Element
	err   error
}

func (r *reader) next() *unpacker {
	u := unpack(r.words[0])
	r.words = r.words[1:]
	return u
}

func (r *reader) element() fr.Element {
	e := r.words[0]
	r.words = r.words[1:]
	return e
}

func (r *reader) check(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) feeAccount() FeeAccount {
	u := r.next()
	f := FeeAccount{Token: settle.TokenID(u.uint(settle.TokenBits)), Index: settle.AccountIndex(u.uint(settle.IndexBits))}
	r.check(u.end("fee account"))
	return f
}

func (r *reader) l1Op() L1Op {
	u, l1 := r.next(), r.next()
	op := L1Op{
		Kind: settle.L1Kind(u.uint(settle.KindBits)), Applied: u.uint(1) == 1,
		Index: settle.AccountIndex(u.uint(settle.IndexBits)), Token: settle.TokenID(u.uint(settle.TokenBits)),
	}
	amount, err := settle.AmountFromBig(u.big(settle.BalanceBits))
	r.check(err)
	op.Amount, op.L1, op.Owner = amount, l1.address(), r.element()
	r.check(u.end("L1 operation"))
	r.check(l1.end("L1 operation's address"))
	return op
}

func (r *reader) transfers(most int) []Transfer {
	u := r.next()
	var out []Transfer
	for range min(2, most) {
		t := Transfer{
			Kind: settle.Kind(u.uint(settle.KindBits)), From: settle.AccountIndex(u.uint(settle.IndexBits)),
			To: settle.AccountIndex(u.uint(settle.IndexBits)), Amount: u.uint(settle.AmountBits), Fee: uint16(u.uint(settle.FeeBits)),
		}
		out = append(out, t)
	}
	r.check(u.end("transfer word"))
	return out
}

func (r *reader) open() Open {
	owner, l1 := r.element(), r.next()
	o := Open{Owner: owner, L1: l1.address()}
	r.check(l1.end("open's address"))
	return o
}

func (r *reader) exit() Exit {
	u, a := r.next(), r.next()
	x := Exit{L1: u.address(), Token: settle.TokenID(u.uint(settle.TokenBits))}
	amount, err := settle.AmountFromBig(a.big(settle.BalanceBits))
	r.check(err)
	x.Amount = amount
	r.check(u.end("exit"))
	r.check(a.end("exit's amount"))
	return x
}
