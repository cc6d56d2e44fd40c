package aggregate

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
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
