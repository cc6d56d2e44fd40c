package verifier_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

const slots = 5

// rollupFor deploys a rollup that has the verifier registered for a circuit and shape.
func (e *evm) rollupFor(at common.Address, hash settle.KeyHash, circuit, shape string, root *big.Int) common.Address {
	e.t.Helper()
	registration := bindings.RegistryRegistration{Version: 1, Verifier: at, KeyHash: hash}
	copy(registration.Circuit[:], circuit)
	copy(registration.Shape[:], shape)
	contract := bindings.NewRollup()
	address, ret, err := e.deploy(append(common.FromHex(bindings.RollupMetaData.Bin), contract.PackConstructor(root, [32]byte{}, bindings.RegistryConfig{
		Governor: common.Address{1}, Delay: new(big.Int), UnsafeDevKeys: true, Operators: []common.Address{e.cfg.Origin},
		Registrations: []bindings.RegistryRegistration{registration},
	})...))
	require.NoError(e.t, err, "deployment: %x", ret)
	return address
}

// drawBatch is a batch behind a header, with words of full width behind its own.
func drawBatch(t *rapid.T, last publicdata.Header) ([]fr.Element, publicdata.Header) {
	next := publicdata.Header{Number: last.Number + 1, OldRoot: last.NewRoot, Domain: last.Domain}
	next.NewRoot.MustSetRandom()
	f, transfers, opens := rapid.IntRange(0, 3).Draw(t, "fee accounts"), rapid.IntRange(0, 30).Draw(t, "transfers"), rapid.IntRange(0, 3).Draw(t, "opens")
	words := make([]fr.Element, publicdata.Length(f, 0, transfers, opens, 0))
	for i := range words {
		words[i].MustSetRandom()
	}
	words[0].SetUint64(uint64(next.Number))
	words[1], words[2], words[3] = next.OldRoot, next.NewRoot, next.Domain
	count := func(n int) publicdata.Field { return publicdata.U(uint64(n), settle.CountBits) }
	words[4] = publicdata.Pack(count(f), count(0), count(transfers), count(opens), count(0))
	return words, next
}

// TestContractComputesTheInputsOfAnyGroup: a proof of C, Z, V by the native twin
// settles exactly the batches that it was made for.
func TestContractComputesTheInputsOfAnyGroup(t *testing.T) {
	prover, err := toycircuit.Ceremony()
	require.NoError(t, err)
	words, err := verifier.Words(prover.VerifyingKey)
	require.NoError(t, err)
	hash, err := verifier.KeyHash(prover.VerifyingKey)
	require.NoError(t, err)
	e := newEVM(t)
	e.cfg.Origin = common.Address{0: 0x0e}
	at, h, contract := e.ours(words), poseidon.New(), bindings.NewRollup()
	var name [32]byte
	copy(name[:], "toy-5")
	rapid.Check(t, func(t *rapid.T) {
		rollup := e.rollupFor(at, hash, settle.CircuitAggregate, "toy-5", new(big.Int))
		header := publicdata.Header{Domain: publicdata.Domain(e.cfg.ChainConfig.ChainID.Uint64(), settle.Address(rollup))}
		var inputs [][3]fr.Element
		var commitments, data []*big.Int
		for range rapid.IntRange(1, slots).Draw(t, "batches") {
			var words []fr.Element
			words, header = drawBatch(t, header)
			var c fr.Element
			c.MustSetRandom()
			zeta := publicdata.Challenge(c, words)
			inputs = append(inputs, [3]fr.Element{c, zeta, publicdata.Evaluate(words, zeta)})
			commitments = append(commitments, c.BigInt(new(big.Int)))
			for i := range words {
				data = append(data, words[i].BigInt(new(big.Int)))
			}
		}
		in, err := publicdata.AggregateInputs(h, slots, inputs)
		require.NoError(t, err)
		raw, err := prover.Prove([3]settle.Element{in[0].Bytes(), in[1].Bytes(), in[2].Bytes()})
		require.NoError(t, err)
		proof, err := verifier.Calldata(raw)
		require.NoError(t, err)
		settles := func() error {
			_, err := e.call(rollup, contract.PackSettleAggregate(name, 1, in[0].BigInt(new(big.Int)), commitments, data, proof))
			return err
		}
		changed := rapid.SampledFrom(append(append([]*big.Int{}, commitments...), data...)).Draw(t, "changed")
		changed.Xor(changed, big.NewInt(1))
		require.Error(t, settles())
		changed.Xor(changed, big.NewInt(1))
		require.NoError(t, settles())
		require.Error(t, settles(), "replayed")
		ret, err := e.call(rollup, contract.PackRoot())
		require.NoError(t, err)
		require.Equal(t, header.NewRoot.Bytes(), [32]byte(ret))
	})
}
