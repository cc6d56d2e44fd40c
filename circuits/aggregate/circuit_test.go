package aggregate

import (
	"math/big"
	"math/rand/v2"
	"testing"

	cryptosha "crypto/sha256"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"
	sha2std "github.com/consensys/gnark/std/hash/sha2"
	"github.com/consensys/gnark/std/math/uints"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"
)

// TestValid runs the whole circuit, with its own pairing check: one proof of two
// slots, so that an unused slot is in it.
func TestValid(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	require.NoError(t, test.IsSolved(New(in.key, 2), in.assign2(in.statements(1)), ecc.BN254.ScalarField()))
}

// TestPairingCheckRefuses shows that the circuit's own pairing check is in force, which
// the attacks replace by a native one.
func TestPairingCheckRefuses(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	s := in.statements(1)
	s[0].inputs[2].SetUint64(1)
	require.Error(t, test.IsSolved(New(in.key, 1), in.assign(s), ecc.BN254.ScalarField()))
}

type shaCircuit struct {
	Message [512]frontend.Variable
	Digest  [256]frontend.Variable
}

func (c *shaCircuit) Define(api frontend.API) error {
	for _, b := range c.Message {
		api.AssertIsBoolean(b)
	}
	for i, b := range (sha2{api}).sum64(c.Message[:]) {
		api.AssertIsEqual(c.Digest[i], b)
	}
	return nil
}

func TestSHA256(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		var message [64]byte
		for i := range message {
			message[i] = byte(random.Uint32())
		}
		digest := cryptosha.Sum256(message[:])
		c := new(shaCircuit)
		for i := range c.Message {
			c.Message[i] = message[i/8] >> (7 - i%8) & 1
		}
		for i := range c.Digest {
			c.Digest[i] = digest[i/8] >> (7 - i%8) & 1
		}
		require.NoError(t, test.IsSolved(new(shaCircuit), c, ecc.BN254.ScalarField()))
		c.Digest[random.IntN(256)] = 2
		require.Error(t, test.IsSolved(new(shaCircuit), c, ecc.BN254.ScalarField()))
	}
}

// The constants are the first 32 bits of the fractional parts of the square roots of
// the first 8 primes and of the cube roots of the first 64 (FIPS 180-4).
func TestSHA256Constants(t *testing.T) {
	prime := big.NewInt(1)
	for i := range roundConstants {
		for prime.Add(prime, big.NewInt(1)); !prime.ProbablyPrime(10); {
			prime.Add(prime, big.NewInt(1))
		}
		fraction := func(power uint) uint32 {
			scaled := new(big.Int).Lsh(prime, 32*power)
			low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), 64)
			for new(big.Int).Sub(high, low).Cmp(big.NewInt(1)) > 0 {
				middle := new(big.Int).Add(low, high)
				middle.Rsh(middle, 1)
				if new(big.Int).Exp(middle, new(big.Int).SetUint64(uint64(power)), nil).Cmp(scaled) <= 0 {
					low = middle
				} else {
					high = middle
				}
			}
			return uint32(low.Uint64())
		}
		require.Equal(t, fraction(3), roundConstants[i], "round constant %d", i)
		if i < len(initialHash) {
			require.Equal(t, fraction(2), initialHash[i], "initial value %d", i)
		}
	}
}

// A commitment given with x + p for x hashes to another challenge, which a prover
// could choose between: coordinates are canonical where they are hashed.
func TestForgeryByNonCanonicalCommitment(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	for {
		// x + p must fit the 254 bits of an element: a third of all x do.
		s := in.statementsHashed(1, addModulus)
		x := s[0].Commitments[0].X.BigInt(new(big.Int))
		if x.Add(x, fp.Modulus()).BitLen() > 254 {
			continue
		}
		require.Error(t, in.verify(s[0]))
		c := in.assign(s)
		c.Slots[0].Proof.Commitment.X = limbs(x)
		// The transcript has other limbs, but the equations hold for any coefficients.
		require.NoError(t, in.solve(c, "check: the hashed commitment is canonical"))
		require.Error(t, in.solve(c))
		return
	}
}

// gnarkSHACircuit hashes messages of 64 bytes by gnark's gadget.
type gnarkSHACircuit struct{ Messages [][64]uints.U8 }

func (c *gnarkSHACircuit) Define(api frontend.API) error {
	for i := range c.Messages {
		h, err := sha2std.New(api)
		if err != nil {
			return err
		}
		h.Write(c.Messages[i][:])
		h.Sum()
	}
	return nil
}

// TestSHA256Cost is why the gadget is our own.
func TestSHA256Cost(t *testing.T) {
	t.Parallel()
	logger.Disable()
	count := func(c frontend.Circuit) int {
		ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
		require.NoError(t, err)
		return ccs.GetNbConstraints()
	}
	one := count(&gnarkSHACircuit{make([][64]uints.U8, 1)})
	each := count(&gnarkSHACircuit{make([][64]uints.U8, 2)}) - one
	ours := count(new(shaCircuit))
	t.Logf("gnark %d once and %d a message, ours %d", one-each, each, ours)
	require.Less(t, ours, each)
}
