package transition

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/internal/hostile"
	"github.com/zksettle/settle/internal/naive"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// FuzzStateAndCircuit executes sequences of operations, in batches of the smallest
// shapes, on states of a few accounts:
//   - package state and the naive model accept and refuse the same, for the same reason,
//     and agree on every account and root; no money of any token comes or goes but by exits;
//   - the circuit has a witness for each batch, and its public inputs commit D;
//   - D alone takes the accounts before the batch to those after it;
//   - executed all the same, a refused transaction has no witness.
func FuzzStateAndCircuit(f *testing.F) {
	targets := map[string]*hostile.Target{}
	for _, shape := range []Shape{mustShape(f, "tiny"), forgeShape()} {
		targets[shape.Name] = target(f, shape)
	}
	for _, x := range situations() {
		f.Add(x.bytes(f))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x := parseSituation(data)
		z := newFuzzed(t, x, targets[x.shape(t).Name])
		z.run(x.ops)
		if len(z.refused) > 0 {
			z.force(at(z.refused, x.Forced), x.Mode&vacantFee != 0)
		}
	})
}

// fuzzed is a state in the hands of the fuzzer. The accounts of strange are those of
// the last batch, as rebuilt from D.
type fuzzed struct {
	*strange
	t         *testing.T
	shape     Shape
	target    *hostile.Target
	state     *state.State
	batch     *state.Batch
	world     naive.World
	rebuilder *state.Rebuilder // nil when no genesis file makes such a state
	places    []settle.AccountIndex
	executed  []state.Transaction // in the open batch
	batches   int                 // sealed
	submitted []submission
	verdicts  []string
	refused   []refused
}

// refused is a submission that was not executed, with the batch as it was.
type refused struct {
	submission
	before  []state.Transaction
	strange *strange
	world   naive.World
}

// newFuzzed begins a situation. Without a target nothing is solved.
func newFuzzed(t *testing.T, x situation, target *hostile.Target) *fuzzed {
	z := &fuzzed{t: t, strange: x.begin(t), shape: x.shape(t), target: target}
	z.state = z.load(t)
	z.batch = z.state.Begin()
	z.world = naive.World{Number: uint64(z.number) + 1, Accounts: map[settle.AccountIndex]naive.Account{}, Fees: z.fees}
	for _, a := range z.accounts {
		z.places = append(z.places, a.Index)
		z.world.Accounts[a.Index] = naive.Of(a.Account)
	}
	for index := z.places[0]; len(z.places) < len(z.accounts)+2; index++ { // two that are vacant
		if !slices.Contains(z.places, index) {
			z.places = append(z.places, index)
		}
	}
	if !x.genesis() {
		return z
	}
	var g state.Genesis
	for _, a := range z.accounts {
		g.Accounts = append(g.Accounts, state.GenesisAccount{Owner: schnorr.PublicKey{X: a.Owner}, Token: a.Token, Balance: a.Balance, L1: a.L1})
	}
	for token, index := range z.fees {
		g.FeeAccounts = append(g.FeeAccounts, state.GenesisFeeAccount{Token: token, Index: index})
	}
	var err error
	z.rebuilder, err = state.NewRebuilder(poseidon.New(), &g, z.domain)
	require.NoError(t, err)
	require.Equal(t, z.state.Root(), z.rebuilder.Root())
	return z
}

func (z *fuzzed) run(ops []fuzzOp) {
	for _, o := range ops {
		switch kind := o.Kind % opKinds; {
		case z.batches == fuzzMaxBatches:
			return
		case z.batch.Number() == 0:
			z.exhausted()
			return
		case kind == opSeal:
			z.seal()
		case kind == opAgain:
			if len(z.submitted) > 0 {
				z.submit(at(z.submitted, o.To))
			}
		default:
			z.submit(z.draw(o))
		}
	}
	if z.batch.Len() > 0 {
		z.seal()
	}
}

// exhausted: there is no batch behind the last number.
func (z *fuzzed) exhausted() {
	require.ErrorIs(z.t, z.batch.Step(state.Transaction{}), state.ErrExhausted)
	_, err := z.batch.Seal()
	require.ErrorIs(z.t, err, state.ErrExhausted)
}

// submit seals first what has no room for the transaction, as the sequencer does.
func (z *fuzzed) submit(x submission) {
	z.submitted = append(z.submitted, x)
	foretold := z.batch.UsageWith(x.Transaction)
	if !z.shape.Fits(foretold) && z.batch.Len() > 0 {
		z.seal()
		foretold = z.batch.UsageWith(x.Transaction)
	}
	if !z.shape.Fits(foretold) || z.batch.Number() == 0 || z.batches == fuzzMaxBatches {
		z.verdicts = append(z.verdicts, "no room")
		return
	}
	next, code := z.world.Apply(x.Transaction)
	if x.signed(z.domain) {
		require.NoError(z.t, x.Verify(z.domain))
	} else {
		require.Error(z.t, x.Verify(z.domain))
		code = settle.CodeBadSignature
	}
	z.verdicts = append(z.verdicts, cmp.Or(string(code), "ok"))
	if code == "" {
		require.NoError(z.t, z.batch.Step(x.Transaction))
		require.Equal(z.t, foretold, z.batch.Usage())
		z.world, z.executed = next, append(z.executed, x.Transaction)
		if index, ok := x.Receiver(); ok && !slices.Contains(z.places, index) {
			z.places = append(z.places, index)
		}
		z.requireAccounts(z.batch.Account)
		return
	}
	z.refuse(x, code)
}

// refuse: the batch goes on as if the transaction had never been.
func (z *fuzzed) refuse(x submission, code settle.Code) {
	usage := z.batch.Usage()
	if x.signed(z.domain) {
		err := z.batch.Step(x.Transaction)
		if refusal, ok := settle.AsRefusal(err); ok {
			require.Equal(z.t, code, refusal.Code, refusal.Detail)
		} else {
			require.Equal(z.t, naive.SlotTaken, code, "%v", err)
			require.ErrorIs(z.t, err, state.ErrSlotTaken)
		}
	}
	require.Equal(z.t, usage, z.batch.Usage())
	z.requireAccounts(z.batch.Account)
	known := x.Kind >= settle.KindTransfer && x.Kind <= settle.KindExitAll
	if !known && usage.Exits == z.shape.Exits {
		return // it is forced as an exit, for which there is no slot
	}
	was := *z.strange
	was.accounts = slices.Clone(z.accounts)
	z.refused = append(z.refused, refused{x, slices.Clone(z.executed), &was, z.world})
}

func (z *fuzzed) requireAccounts(account func(settle.AccountIndex) state.Account) {
	for index := range z.world.Accounts {
		want, got := z.world.Accounts[index], naive.Of(account(index))
		same := want.Owner.Cmp(got.Owner) == 0 && want.Balance.Cmp(got.Balance) == 0 && want.L1.Cmp(got.L1) == 0 &&
			want.Token == got.Token && want.Nonce == got.Nonce
		require.True(z.t, same, "account %d is %v, expected %v", index, got, want)
	}
}

// money sums the balances of each token.
func money(accounts []state.Indexed) map[settle.TokenID]*big.Int {
	sums := map[settle.TokenID]*big.Int{}
	for _, a := range accounts {
		if sums[a.Token] == nil {
			sums[a.Token] = new(big.Int)
		}
		sums[a.Token].Add(sums[a.Token], a.Balance.Big())
	}
	return sums
}

func (z *fuzzed) seal() {
	t := z.t
	before, old := money(z.accounts), z.state.Root()
	require.Equal(t, z.load(t).Root(), old, "an open batch changes nothing")
	trace, err := z.batch.Seal()
	require.NoError(t, err)
	blob, err := state.EncodeTrace(trace)
	require.NoError(t, err)
	again, err := z.load(t).Apply(z.executed)
	require.NoError(t, err)
	other, err := state.EncodeTrace(again)
	require.NoError(t, err)
	require.Equal(t, blob, other, "without what was refused, on a state loaded anew, the batch is the same")
	forced := z.strange.force(t, z.shape, z.executed)

	data := trace.Data()
	require.Equal(t, old, data.Header.OldRoot)
	require.Equal(t, z.world.Number, uint64(data.Header.Number))
	z.requireAccounts(z.state.Account)
	root := z.state.Root()
	require.Equal(t, naive.Root(z.world.Accounts), root.BigInt(new(big.Int)))
	z.rebuilt(data)
	after := money(z.accounts)
	for _, x := range data.Exits {
		after[x.Token].Add(after[x.Token], x.Amount.Big())
	}
	require.Len(t, after, len(before))
	for token, sum := range before {
		require.Equal(t, sum.String(), after[token].String(), "money of token %d", token)
	}

	z.prove(blob, data, forced)

	z.batches, z.number, z.executed = z.batches+1, data.Header.Number, nil
	z.world.Number++
	z.batch = z.state.Begin()
}

// prove solves for the encoded trace, from which force does not differ in any wire.
func (z *fuzzed) prove(blob []byte, data *publicdata.Data, forced *Circuit) {
	t := z.t
	trace, err := state.DecodeTrace(blob)
	require.NoError(t, err)
	c := mustAssign(t, z.shape, trace)
	inputs, err := data.PublicInputs(poseidon.New(), z.shape.Capacity)
	require.NoError(t, err)
	require.Equal(t, inputs, [3]fr.Element{element(c.C), element(c.Zeta), element(c.V)})
	require.Equal(t, inputs[0], element(forced.C))
	require.Equal(t, witnessOf(t, c).Vector().(fr.Vector)[gadget.PublicInputs:], witnessOf(t, forced).Vector().(fr.Vector)[gadget.PublicInputs:])
	if z.target != nil {
		require.NoError(t, solve(t, system(t, z.shape), c, solver.WithNbTasks(1))) // in one order, for the fuzzer
	}
}

func witnessOf(t testing.TB, c *Circuit) witness.Witness {
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	require.NoError(t, err)
	return w
}

// rebuilt brings the accounts up to date from the words of D.
func (z *fuzzed) rebuilt(data *publicdata.Data) {
	words := data.Words()
	parsed, err := publicdata.Parse(words)
	require.NoError(z.t, err)
	require.Equal(z.t, data, parsed)
	require.Equal(z.t, data.Header.NewRoot, z.rebuild(z.t, words))
	require.Equal(z.t, data.Header.NewRoot, z.state.Root())
	if z.rebuilder != nil {
		require.NoError(z.t, z.rebuilder.Apply(parsed))
		require.Equal(z.t, z.accounts, z.rebuilder.Accounts())
	}
}

// force executes a refused transaction behind those of its batch. Where only the
// operator has not named a fee account for its token, the circuit takes any that
// holds the token: then the transaction is as good as it is with that one.
func (z *fuzzed) force(x refused, vacantFee bool) {
	t, good := z.t, false
	s, txs, fees := x.strange, append(x.before, x.Transaction), maps.Clone(x.strange.fees)
	last := &txs[len(x.before)]
	if _, ok := fees[x.Token]; !ok {
		fees[x.Token] = x.From
		if empty := z.places[len(z.places)-1]; vacantFee && !x.world.Accounts[empty].Exists() && x.Assigned != empty {
			fees[x.Token] = empty
		}
		world := x.world
		if taker := world.Accounts[fees[x.Token]]; taker.Exists() && taker.Token == uint64(x.Token) && x.signed(s.domain) {
			world.Fees = fees
			_, code := world.Apply(x.Transaction)
			good = code == ""
		}
	}
	if !x.signed(s.domain) {
		s.sign(t, last, x.PublicKey)
	}
	c := s.forceTo(t, z.shape, txs, fees)
	if !x.signed(s.domain) {
		wires, err := gadget.AssignSignature(z.shape.WindowBits, x.signer.Public().X, x.message, x.Signature)
		require.NoError(t, err)
		own := c.Transfers[len(x.before)].Signature
		wires.PublicKey, wires.PublicY = own.PublicKey, own.PublicY
		c.Transfers[len(x.before)].Signature = wires
	}
	refused, err := z.target.Refused(witnessOf(t, c), nil)
	require.NoError(t, err)
	require.NotEqual(t, good, refused, "%+v", x.Transaction)
}
