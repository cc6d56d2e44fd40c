package verifier_test

import (
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/triedb"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// evm runs contracts without a chain.
type evm struct {
	t   *testing.T
	cfg *runtime.Config
}

func newEVM(t *testing.T) *evm {
	t.Helper()
	db, err := state.New(types.EmptyRootHash, state.NewDatabase(triedb.NewDatabase(rawdb.NewMemoryDatabase(), nil), nil))
	require.NoError(t, err)
	cfg := &runtime.Config{ChainConfig: params.MergedTestChainConfig, State: db, GasLimit: 30_000_000, Difficulty: new(big.Int), Random: &common.Hash{}}
	return &evm{t, cfg}
}

func (e *evm) deploy(code []byte) (common.Address, []byte, error) {
	ret, address, _, err := runtime.Create(code, e.cfg)
	return address, ret, err
}

func (e *evm) call(to common.Address, data []byte) ([]byte, error) {
	ret, _, err := runtime.Call(to, data, e.cfg)
	return ret, err
}

func creation(t *testing.T, words []*big.Int) []byte {
	t.Helper()
	contract := bindings.NewGroth16Verifier()
	return append(common.FromHex(bindings.Groth16VerifierMetaData.Bin), contract.PackConstructor(words)...)
}

// ours deploys Groth16Verifier with the words of a key.
func (e *evm) ours(words [verifier.KeyWords]*big.Int) common.Address {
	e.t.Helper()
	address, ret, err := e.deploy(creation(e.t, words[:]))
	require.NoError(e.t, err, "deployment: %s", revert(ret))
	return address
}

// gnarks deploys gnark's own verifier for the key of fixture "setup".
func (e *evm) gnarks() (common.Address, abi.ABI) {
	e.t.Helper()
	raw, err := os.ReadFile("contracts/testdata/GnarkVerifier.json")
	require.NoError(e.t, err)
	var artifact struct {
		ABI      abi.ABI       `json:"abi"`
		Bytecode hexutil.Bytes `json:"bytecode"`
	}
	require.NoError(e.t, json.Unmarshal(raw, &artifact))
	address, _, err := e.deploy(artifact.Bytecode)
	require.NoError(e.t, err)
	return address, artifact.ABI
}

// verify calls Groth16Verifier.verify.
func (e *evm) verify(at common.Address, proof []byte, inputs [3]settle.Element) ([]byte, error) {
	return e.call(at, bindings.NewGroth16Verifier().PackVerify(proof, bigs(inputs)))
}

func bigs(inputs [3]settle.Element) (out [3]*big.Int) {
	for i := range inputs {
		out[i] = new(big.Int).SetBytes(inputs[i][:])
	}
	return out
}

// revert decodes a custom error of Groth16Verifier; nil if it is none.
func revert(data []byte) any {
	if len(data) < 4 {
		return nil
	}
	decoded, err := bindings.NewGroth16Verifier().UnpackError(data)
	if err != nil {
		return nil
	}
	return decoded
}

// fixture is what contracts/testdata/groth16.json holds of one key.
type fixture struct {
	Key     [verifier.KeyWords]settle.Hash `json:"key"`
	KeyHash settle.KeyHash                 `json:"keyHash"`
	Proof   hexutil.Bytes                  `json:"proof"`
	Raw     hexutil.Bytes                  `json:"raw"`
	Inputs  [3]settle.Element              `json:"inputs"`
}

func (f *fixture) words() (out [verifier.KeyWords]*big.Int) {
	for i := range f.Key {
		out[i] = new(big.Int).SetBytes(f.Key[i][:])
	}
	return out
}

type fixtures struct {
	Setup       fixture        `json:"setup"`
	Ceremony    fixture        `json:"ceremony"`
	G2Generator [4]settle.Hash `json:"g2Generator"`
	OffSubgroup [4]settle.Hash `json:"offSubgroup"`
}

func loadFixtures(t testing.TB) *fixtures {
	t.Helper()
	raw, err := os.ReadFile("contracts/testdata/groth16.json")
	require.NoError(t, err)
	f := new(fixtures)
	require.NoError(t, json.Unmarshal(raw, f))
	return f
}
