package aggregate

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"
)

// transcriptCircuit compares the coefficients of a transcript with given ones.
type transcriptCircuit struct {
	Circuit
	Coefficients []frontend.Variable // r_i of each slot, then ρ
}

func (c *transcriptCircuit) Define(api frontend.API) error {
	d, err := newDefinition(api, &c.Circuit)
	if err != nil {
		return err
	}
	if err := d.transcript(); err != nil {
		return err
	}
	for i, r := range append(d.coefficients, d.rho) {
		api.AssertIsEqual(c.Coefficients[i], d.curve.value(r))
	}
	return nil
}

// TestTranscriptIsWhole: the coefficients are those of a transcript of the key, the number
// of slots and every coordinate and input of every slot; one that is left out could be
// chosen when they are known.
func TestTranscriptIsWhole(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	s := in.statements(2)
	honest := in.coefficients(s)
	drawn := func(s []statement, coefficients []fr.Element) error {
		c := &transcriptCircuit{Circuit: *New(in.key, len(s)), Coefficients: make([]frontend.Variable, len(coefficients))}
		w := &transcriptCircuit{Circuit: *in.assign(s)}
		for _, r := range coefficients {
			w.Coefficients = append(w.Coefficients, r)
		}
		return test.IsSolved(c, w, ecc.BN254.ScalarField())
	}
	require.NoError(t, drawn(s, honest))
	for name, change := range map[string]func(s *statement){
		"A":          func(s *statement) { s.Ar.Neg(&s.Ar) },
		"B":          func(s *statement) { s.Bs.Neg(&s.Bs) },
		"C":          func(s *statement) { s.Krs.Neg(&s.Krs) },
		"commitment": func(s *statement) { s.Commitments = append(s.Commitments[:0:0], point("D")) },
		"knowledge":  func(s *statement) { s.CommitmentPok.Neg(&s.CommitmentPok) },
		"c":          func(s *statement) { s.inputs[0].SetOne() },
		"zeta":       func(s *statement) { s.inputs[1].SetOne() },
		"v":          func(s *statement) { s.inputs[2].SetOne() },
	} {
		for i := range s {
			changed := []statement{s[0], s[1]}
			change(&changed[i])
			coefficients := in.coefficients(changed)
			for k := range coefficients {
				require.NotEqual(t, honest[k], coefficients[k], "%s of slot %d", name, i)
			}
			require.Error(t, drawn(changed, honest), "%s of slot %d", name, i)
			require.NoError(t, drawn(changed, coefficients), "%s of slot %d", name, i)
		}
	}
	other := *in.key
	other.idLow, other.idHigh = in.key.idHigh, in.key.idLow
	in.key = &other
	require.Error(t, drawn(s, honest), "another key")
	require.NoError(t, drawn(s, in.coefficients(s)), "another key")
}

// TestBothCoordinatesAreHashedCanonically: x + p or y + p names the same point, and hashes
// to another challenge, between which a prover could choose.
func TestBothCoordinatesAreHashedCanonically(t *testing.T) {
	t.Parallel()
	const rule = "check: the hashed commitment is canonical"
	for name, coordinate := range map[string]func(*bn254.G1Affine, *pointG1) (*fp.Element, *baseElement){
		"x": func(p *bn254.G1Affine, w *pointG1) (*fp.Element, *baseElement) { return &p.X, &w.X },
		"y": func(p *bn254.G1Affine, w *pointG1) (*fp.Element, *baseElement) { return &p.Y, &w.Y },
	} {
		for try := 0; ; try++ {
			p := point(fmt.Sprintf("commitment %d", try))
			wires := sw_bn254.NewG1Affine(p)
			value, wire := coordinate(&p, &wires)
			shifted := value.BigInt(new(big.Int))
			if shifted.Add(shifted, fp.Modulus()).BitLen() > 254 {
				continue // a third of all coordinates have a second name
			}
			*wire = limbs(shifted)
			hash := func(shift bool) (h fr.Element) {
				message := p.Marshal()
				if half := message[map[string]int{"x": 0, "y": 32}[name]:]; shift {
					shifted.FillBytes(half[:32])
				}
				digest := sha256.Sum256(message)
				h.SetBytes(digest[:])
				return h
			}
			solve := func(h fr.Element, without ...string) error {
				return test.IsSolved(&challengeCircuit{without: without}, &challengeCircuit{Point: wires, Hash: h}, ecc.BN254.ScalarField())
			}
			require.NoError(t, solve(hash(false)), name)
			require.NoError(t, solve(hash(true), rule), "%s: the forgery does not need the absence of the rule", name)
			require.Error(t, solve(hash(true)), name)
			break
		}
	}
}
