package aggregate

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
)

// Honest statements pass, with the native pairing check on the circuit's points.
func TestHonest(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	s := in.statements(2)
	require.NoError(t, in.solve(in.assign(s)))
	require.NoError(t, in.solve(in.assign(s[:1])))
	require.NoError(t, in.solve(in.assign([]statement{s[0], s[0]})), "L1 refuses the repeated batch, by its number")
}

// forged shows that a forgery passes without the rule and fails with it, and that
// gnark's own verifier refuses at least one of the statements.
func (in *inner) forged(s []statement, rule string) {
	in.Helper()
	bad := 0
	for i := range s {
		if in.verify(s[i]) != nil {
			bad++
		}
	}
	require.NotZero(in, bad, "the statements are true")
	c := in.assign(s)
	require.NoError(in, in.solve(c, rule), "the forgery does not need the absence of %q", rule)
	require.Error(in, in.solve(c), "the forgery passes")
}

// With equal coefficients, what one proof lacks another can have too much.
func TestForgeryByEqualCoefficients(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	s := in.statements(2)
	x := point("x")
	s[0].Krs = plus(s[0].Krs, x)
	s[1].Krs = plus(s[1].Krs, *x.Neg(&x))
	in.forged(s, "transcript: one coefficient for each proof")
}

// Coefficients that are known before the proofs are chosen: r_0·X_0 + r_1·X_1 = 0.
func TestForgeryByCoefficientsBeforeProofs(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	s := in.statements(2)
	const rule = "transcript: it holds the proofs"
	r := in.coefficients(s, rule)
	x := point("x")
	s[0].Krs = plus(s[0].Krs, times(x, r[1]))
	s[1].Krs = plus(s[1].Krs, times(*x.Neg(&x), r[0]))
	in.forged(s, rule)
}

// The same with inputs: c_0 + δ·r_1 and c_1 - δ·r_0 have the same weighted sum.
func TestForgeryByCoefficientsBeforeInputs(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	s := in.statements(2)
	const rule = "transcript: it holds the inputs"
	r := in.coefficients(s, rule)
	s[0].inputs[0].Add(&s[0].inputs[0], &r[1])
	s[1].inputs[0].Sub(&s[1].inputs[0], &r[0])
	in.forged(s, rule)
}

// With ρ = 1 and a ceremony key, whose γ is the base of the commitment, PoK absorbs
// any wrong input: L grows by δ·K_1, and PoK with it.
func TestForgeryByMergedCommitmentEquation(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	require.True(t, in.vk.G2.Gamma.Equal(&in.vk.CommitmentKeys[0].G))
	s := in.statements(1)
	var delta fr.Element
	delta.SetUint64(1_000_000)
	s[0].inputs[0].Add(&s[0].inputs[0], &delta)
	s[0].CommitmentPok = plus(s[0].CommitmentPok, times(in.vk.G1.K[1], delta))
	in.forged(s, "check: the commitments have their own coefficient")
}

// Each part of a statement changed alone is refused.
func TestMutatedStatements(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	original := in.statements(2)
	other := in.statements(1)[0]
	for name, mutate := range map[string]func(*statement){
		"A":          func(s *statement) { s.Ar = other.Ar },
		"B":          func(s *statement) { s.Bs = other.Bs },
		"C":          func(s *statement) { s.Krs = other.Krs },
		"commitment": func(s *statement) { s.Commitments = []bn254.G1Affine{other.Commitments[0]} },
		"knowledge":  func(s *statement) { s.CommitmentPok = other.CommitmentPok },
		"c":          func(s *statement) { s.inputs[0] = other.inputs[0] },
		"zeta":       func(s *statement) { s.inputs[1].SetZero() },
		"v":          func(s *statement) { s.inputs[2].Neg(&s.inputs[2]) },
	} {
		s := []statement{original[0]}
		mutate(&s[0])
		require.ErrorIs(t, in.solve(in.assign(s)), errPairing, name)
	}
	s := []statement{original[0], original[1]}
	s[0].inputs, s[1].inputs = s[1].inputs, s[0].inputs
	require.ErrorIs(t, in.solve(in.assign(s)), errPairing, "swapped inputs")
}

// A proof under another key of the same circuit is refused.
func TestSwappedKey(t *testing.T) {
	t.Parallel()
	in, other := newInner(t), newInner(t)
	require.ErrorIs(t, in.solve(in.assign(other.statements(1))), errPairing)
}

// point returns a point of G1 that nobody knows a logarithm of.
func point(seed string) bn254.G1Affine {
	p, err := bn254.HashToG1([]byte(seed), []byte("aggregate tests"))
	if err != nil {
		panic(err)
	}
	return p
}

// TestEveryRuleHasAnAttack: each rule that a test can leave out is named in a test.
func TestEveryRuleHasAnAttack(t *testing.T) {
	rules := regexp.MustCompile(`\b[dc]\.(?:On|Zero|Equal|Boolean)\((?:"points: " \+ g1\.name \+ )?("[^"]+"|\w+)`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var source, tests strings.Builder
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, "_test.go") {
			tests.Write(data)
			continue
		}
		source.Write(data)
	}
	found := rules.FindAllStringSubmatch(source.String(), -1)
	require.Greater(t, len(found), 10)
	for _, rule := range found {
		require.Contains(t, tests.String(), strings.Trim(rule[1], `"`), "no test attacks this rule")
	}
}
