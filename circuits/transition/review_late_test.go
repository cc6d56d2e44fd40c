package transition

import (
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/gadget"
)

// late is the circuit with one wire that is not committed, and with quotients that are
// the prover's to give, under the constraint that unchecked division states.
type late struct {
	Circuit
	wire func(c *Circuit) frontend.Variable // nil: the first multiplicity of the table
}

func (c *late) Define(api frontend.API) error {
	x := &lateAPI{API: api, shared: &lateShared{}}
	if c.wire != nil {
		x.shared.wire = c.wire(&c.Circuit)
	}
	return c.Circuit.Define(x)
}

// lateShared is what the API has in common with that of deferred steps.
type lateShared struct {
	wire  frontend.Variable
	after bool // the challenge is known
}

type lateAPI struct {
	frontend.API
	shared *lateShared
}

func (x *lateAPI) Compiler() frontend.Compiler { return lateCompiler{x.API.Compiler(), x.shared} }

// Commit implements frontend.Committer.
func (x *lateAPI) Commit(vs ...frontend.Variable) (frontend.Variable, error) {
	var committed []frontend.Variable
	for _, v := range vs {
		if !reflect.DeepEqual(v, x.shared.wire) {
			committed = append(committed, v)
		}
	}
	x.shared.after = true
	return x.API.(frontend.Committer).Commit(committed...)
}

// DivUnchecked constrains a/b as gnark does, of which a prover gives the value.
func (x *lateAPI) DivUnchecked(a, b frontend.Variable) frontend.Variable {
	if !x.shared.after {
		return x.API.DivUnchecked(a, b)
	}
	out, err := x.API.Compiler().NewHint(quotientHint, 1, a, b)
	if err != nil {
		panic(err)
	}
	x.API.AssertIsEqual(x.Mul(out[0], b), a)
	return out[0]
}

// AssertIsEqual shows the difference to the prover.
func (x *lateAPI) AssertIsEqual(a, b frontend.Variable) {
	if x.shared.after {
		if _, err := x.API.Compiler().NewHint(differenceHint, 1, x.Sub(a, b)); err != nil {
			panic(err)
		}
	}
	x.API.AssertIsEqual(a, b)
}

type lateCompiler struct {
	frontend.Compiler
	shared *lateShared
}

func (c lateCompiler) Defer(f func(frontend.API) error) {
	c.Compiler.Defer(func(api frontend.API) error { return f(&lateAPI{api, c.shared}) })
}

func (c lateCompiler) NewHint(f solver.Hint, n int, in ...frontend.Variable) ([]frontend.Variable, error) {
	out, err := c.Compiler.NewHint(f, n, in...)
	if err == nil && c.shared.wire == nil && strings.Contains(solver.GetHintName(f), "countRowsHint") {
		c.shared.wire = out[0]
	}
	return out, err
}

// store is what gnark's gadgets keep their state in.
type store interface {
	SetKeyValue(key, value any)
	GetKeyValue(key any) any
}

func (c lateCompiler) SetKeyValue(key, value any) { c.Compiler.(store).SetKeyValue(key, value) }
func (c lateCompiler) GetKeyValue(key any) any    { return c.Compiler.(store).GetKeyValue(key) }

func quotientHint(q *big.Int, in, out []*big.Int) error {
	out[0].SetUint64(0)
	if in[1].Sign() != 0 {
		out[0].ModInverse(in[1], q).Mul(out[0], in[0]).Mod(out[0], q)
	}
	return nil
}

func differenceHint(*big.Int, []*big.Int, []*big.Int) error { return nil }

// division is what an unchecked division of the bus was asked for.
type division struct{ flag, denominator fr.Element }

// prover solves a late circuit and sees what is divided, and what the bus lacks.
type prover struct {
	ccs       constraint.ConstraintSystem
	divisions []division
	lacks     fr.Element // the bus's sum, before the assertion that it is 0
}

// solve tries a witness with the quotient of one division of 0 by 0 as given.
func (p *prover) solve(t *testing.T, c *Circuit, at int, quotient fr.Element, more ...solver.Option) error {
	p.divisions = nil
	options := append([]solver.Option{
		solver.WithNbTasks(1),
		solver.OverrideHint(solver.GetHintID(cs.Bsb22CommitmentComputePlaceholder), hashCommitment),
		solver.WithHints(quotientHint, differenceHint),
		solver.OverrideHint(solver.GetHintID(quotientHint), func(q *big.Int, in, out []*big.Int) error {
			var d division
			d.flag.SetBigInt(in[0])
			d.denominator.SetBigInt(in[1])
			p.divisions = append(p.divisions, d)
			if len(p.divisions)-1 == at && in[1].Sign() == 0 {
				quotient.BigInt(out[0])
				return nil
			}
			return quotientHint(q, in, out)
		}),
		solver.OverrideHint(solver.GetHintID(differenceHint), func(_ *big.Int, in, out []*big.Int) error {
			p.lacks.SetBigInt(in[0]) // the bus is the last
			out[0].SetUint64(0)
			return nil
		}),
	}, more...)
	solver.RegisterHint(gadget.Hints()...)
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "hints.Randomize") { // the challenge is to stay
			options = append(options, solver.OverrideHint(solver.GetHintID(h), func(_ *big.Int, _, out []*big.Int) error {
				out[0].SetUint64(1)
				return nil
			}))
		}
	}
	w, err := frontend.NewWitness(&late{Circuit: *c}, ecc.BN254.ScalarField())
	require.NoError(t, err)
	_, err = p.ccs.Solve(w, options...)
	return err
}

func newProver(t *testing.T, wire func(c *Circuit) frontend.Variable) *prover {
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &late{Circuit: *New(forgeShape()), wire: wire})
	require.NoError(t, err)
	return &prover{ccs: ccs}
}

// minted is a batch that reads 2^100 where a million was written.
func minted(t *testing.T) *Circuit {
	return one(t, func(f *forger, x *claim) { f.open(x.to).now.balance = power(100) }).seal()
}

// TestUncommittedPaddingForges: for each chip, one field of an unused slot that is not
// committed. The prover chooses it when it knows the challenge, so that the slot divides
// 0 by 0, and takes as quotient what the bus lacks. The circuit commits the field.
func TestUncommittedPaddingForges(t *testing.T) {
	for name, field := range map[string]func(c *Circuit) *frontend.Variable{
		"account":                     func(c *Circuit) *frontend.Variable { return &c.Accounts[4].Index },
		"memory, closing":             func(c *Circuit) *frontend.Variable { return &c.Accounts[4].LastTime },
		"memory, sender":              func(c *Circuit) *frontend.Variable { return &c.Transfers[1].Sender.L1 },
		"memory, receiver":            func(c *Circuit) *frontend.Variable { return &c.Transfers[1].Receiver.Nonce },
		"memory and fee, fee account": func(c *Circuit) *frontend.Variable { return &c.Transfers[1].FeeTaker.Index },
		"tree":                        func(c *Circuit) *frontend.Variable { return &c.Nodes[len(c.Nodes)-1].Position },
		"opens":                       func(c *Circuit) *frontend.Variable { return &c.Opens[1].Owner },
	} {
		p := newProver(t, func(c *Circuit) frontend.Variable { return *field(c) })
		require.Error(t, solve(t, system(t, forgeShape()), minted(t)), name)
		var seen [2][]division
		for x := range seen {
			c := minted(t)
			*field(c) = x
			require.Error(t, p.solve(t, c, -1, fr.Element{}), name)
			seen[x] = p.divisions
		}
		require.Len(t, seen[1], len(seen[0]), name)
		at := -1
		for i, d := range seen[0] {
			if d.denominator != seen[1][i].denominator {
				require.True(t, d.flag.IsZero(), name)
				at = i
			}
		}
		require.GreaterOrEqual(t, at, 0, "%s: no division depends on the field", name)
		// The denominator is linear in the field: d₀ + x·(d₁ - d₀).
		var x, slope fr.Element
		slope.Sub(&seen[0][at].denominator, &seen[1][at].denominator)
		x.Div(&seen[0][at].denominator, &slope)
		forged := minted(t)
		*field(forged) = x
		require.Error(t, p.solve(t, forged, -1, fr.Element{}), name)
		require.True(t, p.divisions[at].denominator.IsZero(), name)
		received := p.lacks // a slot that receives counts negatively
		sent := *new(fr.Element).Neg(&received)
		require.True(t, p.solve(t, forged, at, received) == nil || p.solve(t, forged, at, sent) == nil, "%s: the forgery does not work without the commitment: this test shows nothing", name)
		require.Error(t, solve(t, system(t, forgeShape()), forged), name)
	}
}

// TestUncommittedMultiplicityForges: the two multiplicities that are no flags, chosen
// when the challenge is known, make up for whatever the bus lacks.
func TestUncommittedMultiplicityForges(t *testing.T) {
	for name, x := range map[string]struct {
		wire func(c *Circuit) frontend.Variable
		set  func(c *Circuit, v fr.Element) []solver.Option
	}{
		"fee": {
			func(c *Circuit) frontend.Variable { return c.FeeAccounts[0].Uses },
			func(c *Circuit, v fr.Element) []solver.Option {
				c.FeeAccounts[0].Uses = v
				return nil
			},
		},
		"fixed-base table": {nil, func(_ *Circuit, v fr.Element) (override []solver.Option) {
			for _, h := range gadget.Hints() {
				if id := solver.GetHintID(h); strings.Contains(solver.GetHintName(h), "countRowsHint") {
					override = append(override, solver.OverrideHint(id, func(q *big.Int, in, out []*big.Int) error {
						err := h(q, in, out)
						v.BigInt(out[0])
						return err
					}))
				}
			}
			return override
		}},
	} {
		p := newProver(t, x.wire)
		lacks := func(v fr.Element) fr.Element {
			c := minted(t)
			require.Error(t, p.solve(t, c, -1, fr.Element{}, x.set(c, v)...), name)
			return p.lacks
		}
		// What is lacking is linear in the multiplicity.
		one, v := fr.One(), fr.NewElement(2)
		first, second := lacks(one), lacks(v)
		require.NotEqual(t, first, second, name)
		second.Sub(&first, &second)
		v.Div(&first, &second).Add(&v, &one)
		forged := minted(t)
		require.NoError(t, p.solve(t, forged, -1, fr.Element{}, x.set(forged, v)...), "%s: the forgery does not work without the commitment: this test shows nothing", name)
		forged = minted(t)
		require.Error(t, solve(t, system(t, forgeShape()), forged, x.set(forged, v)...), name)
	}
}

// TestWidthsCommitByTheirLimbs: unused slots of the fee and the exit chip have no field
// to choose late, commitment or not: each has a width, whose limbs are committed.
func TestWidthsCommitByTheirLimbs(t *testing.T) {
	for name, field := range map[string]func(c *Circuit) *frontend.Variable{
		"token of a fee account": func(c *Circuit) *frontend.Variable { return &c.FeeAccounts[1].Token },
		"index of a fee account": func(c *Circuit) *frontend.Variable { return &c.FeeAccounts[1].Index },
		"l1 of an exit":          func(c *Circuit) *frontend.Variable { return &c.Exits[1].L1 },
		"token of an exit":       func(c *Circuit) *frontend.Variable { return &c.Exits[1].Token },
		"amount of an exit":      func(c *Circuit) *frontend.Variable { return &c.Exits[1].Amount },
	} {
		p := newProver(t, func(c *Circuit) frontend.Variable { return *field(c) })
		var seen [2][]division
		for x := range seen {
			c := minted(t)
			*field(c) = x
			require.Error(t, p.solve(t, c, -1, fr.Element{}), name)
			seen[x] = p.divisions
		}
		require.NotEmpty(t, seen[0])
		for i, d := range seen[0] {
			require.NotEqual(t, d.denominator, seen[1][i].denominator, "%s: the challenge does not depend on it", name)
		}
	}
}
