package transition

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/publicdata"
)

// busEntries is the number of tuples that a shape sends and receives.
func busEntries(s Shape) int {
	windows := len(gadget.NewSignatureWires(s.WindowBits).Windows)
	const tree, memory, others = settle.TreeArity + 1, 2, 3 // of a node; of an access; fee, open, exit of a transfer
	rows := 0
	for _, width := range gadget.WindowWidths(s.WindowBits) {
		rows += 1 << width
	}
	return s.Nodes*tree + 1 + s.Accounts*(1+memory) + s.Transfers*(3*memory+others+windows) + s.FeeAccounts + s.Opens + s.Exits + rows
}

// errorBits is the largest b with numerator/denominator ≤ 2^-b, rounded down.
func errorBits(numerator, denominator *big.Int) int {
	return denominator.BitLen() - 1 - numerator.BitLen()
}

// TestErrorBounds computes what docs/soundness.md states for the largest shape.
func TestErrorBounds(t *testing.T) {
	for _, shape := range []Shape{mustShape(t, "tiny"), forgeShape()} {
		tuples, longest := newAudit(t, shape).Tuples(), 0
		for _, tuple := range tuples {
			longest = max(longest, tuple.Fields)
		}
		require.Len(t, tuples, busEntries(shape), "the count of tuples is that of %s", shape.Name)
		require.Equal(t, 7, longest, "the degree in the bound on β")
	}

	n := big.NewInt(0)
	words := 0
	for _, shape := range Shapes() {
		n.SetInt64(max(n.Int64(), int64(busEntries(shape))))
		words = max(words, publicdata.HeaderWords+shape.FeeAccounts+(shape.Transfers+1)/2+2*shape.Opens+2*shape.Exits)
	}
	// The bus: (4n² + 2n)/r, and twice that, as gnark may hand it the square of the root.
	// SHA-256 modulo r takes no value with more than 6/2^256 = 1.14/r, here 6/5.
	bus := new(big.Int).Mul(n, n)
	bus.Lsh(bus, 2).Add(bus, new(big.Int).Lsh(n, 1)).Lsh(bus, 1)
	bus.Mul(bus, big.NewInt(6)).Div(bus, big.NewInt(5)).Add(bus, big.NewInt(1))
	// The evaluation: a polynomial that is not 0, of that many words, at ζ of 248 bits.
	challenges := new(big.Int).Lsh(big.NewInt(1), 248)
	busBits, evaluationBits := errorBits(bus, fr.Modulus()), errorBits(big.NewInt(int64(words)), challenges)
	t.Logf("bus: %d tuples, 2^-%d; evaluation: %d words, 2^-%d", n, busBits, words, evaluationBits)
	require.Equal(t, 117087, int(n.Int64()))
	require.Equal(t, 922, words)
	require.GreaterOrEqual(t, busBits, 200)
	require.GreaterOrEqual(t, evaluationBits, 200)
}
