package bench

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// gasLoad says what a full batch is full of.
type gasLoad string

const (
	loadTransfers gasLoad = "transfers" // nothing else
	loadMixed     gasLoad = "mixed"     // opens and exits by the shares of the shape's population, at least one each
	loadExits     gasLoad = "exits"     // as many exits as the shape has slots, the rest transfers
)

func gasLoads() []gasLoad { return []gasLoad{loadTransfers, loadMixed, loadExits} }

// counts are opens and exits of a full batch.
func (l gasLoad) counts(shape circuits.Shape) (opens, exits int) {
	slots := func(share float64, most int) int {
		return min(most, max(1, int(math.Round(share*float64(shape.Transfers)))))
	}
	switch l {
	case loadMixed:
		p := cost.PopulationOf(shape)
		return slots(p.Opens, shape.Opens), slots(p.Exits, shape.Exits)
	case loadExits:
		return 0, shape.Exits
	case loadTransfers:
	}
	return 0, 0
}

const (
	gasAccounts  = 4096 // held in memory, at random places among those of the population
	gasBalance   = 100  // log2
	gasAmountExp = 9    // of ten: amounts of 17 to 34 units of 10^18
	gasFeeExp    = 12
	gasTries     = 1000 // to draw a transaction for which there is room
)

// gasRollup makes batches whose data are as those of a rollup with as many accounts as
// the shape is dimensioned for: indices, amounts, fees, addresses and keys are random
// and of full width.
type gasRollup struct {
	shape    circuits.Shape
	source   *rand.ChaCha8
	random   *rand.Rand
	keys     map[settle.AccountIndex]schnorr.PrivateKey
	accounts []state.Indexed
	fees     map[settle.TokenID]settle.AccountIndex
	byToken  [][]settle.AccountIndex
	state    *state.State // under a domain, once there is one
}

func newGasRollup(shape circuits.Shape, seed uint64) (*gasRollup, error) {
	var seeded [32]byte
	binary.BigEndian.PutUint64(seeded[:], seed)
	r := &gasRollup{
		shape: shape, source: rand.NewChaCha8(seeded), keys: map[settle.AccountIndex]schnorr.PrivateKey{},
		fees: map[settle.TokenID]settle.AccountIndex{},
	}
	r.random = rand.New(r.source)
	population, tokens := population(shape)
	r.byToken = make([][]settle.AccountIndex, tokens)
	for _, index := range r.places(population, tokens) {
		key, err := schnorr.GenerateKey(r.source)
		if err != nil {
			return nil, err
		}
		token := settle.TokenID(int(index) % tokens)
		r.keys[index], r.byToken[token] = key, append(r.byToken[token], index)
		if _, ok := r.fees[token]; !ok {
			r.fees[token] = index
		}
		r.accounts = append(r.accounts, state.Indexed{Index: index, Account: state.Account{
			Owner: key.Public().X, Token: token, Balance: power2(gasBalance), L1: r.address(),
		}})
	}
	return r, nil
}

// places are the first accounts, which take the fees, the last one, behind which new
// ones open, and random ones between.
func (r *gasRollup) places(population, tokens int) []settle.AccountIndex {
	taken := map[settle.AccountIndex]bool{settle.AccountIndex(population - 1): true}
	for i := range tokens {
		taken[settle.AccountIndex(i)] = true
	}
	for len(taken) < min(population, gasAccounts) {
		taken[settle.AccountIndex(r.random.IntN(population))] = true
	}
	places := make([]settle.AccountIndex, 0, len(taken))
	for index := range taken {
		places = append(places, index)
	}
	slices.Sort(places)
	return places
}

func power2(log int) (a settle.Amount) {
	if log < 64 {
		return settle.NewAmount(1 << log)
	}
	a.Hi = 1 << (log - 64)
	return a
}

func (r *gasRollup) address() (a settle.Address) {
	_, _ = r.source.Read(a[:]) // never fails
	return a
}

// begin puts the accounts under a domain, as batch 0.
func (r *gasRollup) begin(domain settle.Element) (err error) {
	e, err := element(domain)
	if err != nil {
		return err
	}
	r.state, err = state.Load(poseidon.New(), e, 0, r.accounts, r.fees)
	return err
}

// gasBatch is a sealed batch.
type gasBatch struct {
	trace *state.Trace
	words []settle.Element // D
	data  *publicdata.Data
}

// seal executes and seals a batch full of a load. Its transactions are signed.
func (r *gasRollup) seal(l gasLoad) (gasBatch, error) {
	opens, exits := l.counts(r.shape)
	kinds := make([]settle.Kind, r.shape.Transfers)
	for i := range kinds {
		switch {
		case i < opens:
			kinds[i] = settle.KindOpen
		case i < opens+exits:
			kinds[i] = settle.KindExit
		default:
			kinds[i] = settle.KindTransfer
		}
	}
	r.random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	b := r.state.Begin()
	for _, kind := range kinds {
		if err := r.step(b, kind); err != nil {
			return gasBatch{}, fmt.Errorf("batch %d of %s: %w", b.Number(), l, err)
		}
	}
	trace, err := b.Seal()
	if err != nil {
		return gasBatch{}, err
	}
	batch := gasBatch{trace: trace, data: trace.Data()}
	for _, word := range batch.data.Words() {
		batch.words = append(batch.words, word.Bytes())
	}
	return batch, nil
}

// step draws transactions until one fits the shape, signs and executes it.
func (r *gasRollup) step(b *state.Batch, kind settle.Kind) error {
	for range gasTries {
		tx, err := r.draw(b, kind)
		if err != nil {
			return err
		}
		if !r.shape.Fits(b.UsageWith(tx)) {
			continue
		}
		if tx.Signature, err = schnorr.Sign(r.keys[tx.From], tx.Message(r.state.Domain()), r.source); err != nil {
			return err
		}
		return b.Step(tx)
	}
	return fmt.Errorf("%w: %s", errFull, r.shape.Name)
}

func (r *gasRollup) draw(b *state.Batch, kind settle.Kind) (state.Transaction, error) {
	token := r.random.IntN(len(r.byToken))
	pick := func() settle.AccountIndex { return r.byToken[token][r.random.IntN(len(r.byToken[token]))] }
	from := pick()
	sender := b.Account(from)
	tx := state.Transaction{
		Kind: kind, From: from, Token: sender.Token, Nonce: sender.Nonce, PublicKey: sender.Owner,
		// Mantissas with the highest bit set, so that the encodings are canonical.
		Amount: state.Float40(1<<(state.AmountMantissaBits-1) | r.random.Uint64N(1<<(state.AmountMantissaBits-1)) | gasAmountExp<<state.AmountMantissaBits),
		Fee:    state.Float16(1<<(state.FeeMantissaBits-1) | r.random.Uint64N(1<<(state.FeeMantissaBits-1)) | gasFeeExp<<state.FeeMantissaBits),
	}
	switch kind {
	case settle.KindTransfer:
		tx.To = pick()
		receiver := b.Account(tx.To)
		tx.ToOwner, tx.ToL1 = receiver.Owner, receiver.L1
	case settle.KindExit:
		tx.ToL1 = sender.L1
	case settle.KindOpen:
		key, err := schnorr.GenerateKey(r.source)
		if err != nil {
			return tx, err
		}
		tx.ToOwner, tx.ToL1 = key.Public().X, r.address()
		if tx.Assigned, err = b.NextIndex(); err != nil {
			return tx, err
		}
	default:
		return tx, fmt.Errorf("no batch here has transactions of kind %s", kind)
	}
	return tx, nil
}
