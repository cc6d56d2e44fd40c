package verifier_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestChainIDsBeyondTheDomain: an id of more than 64 bits would reach into nothing that a
// header can hold, and one of 96 bits and more would lose its highest. Neither deploys, and
// a chain that takes such an id later has no domain.
func TestChainIDsBeyondTheDomain(t *testing.T) {
	contract := bindings.NewRollup()
	one := big.NewInt(1)
	last := new(big.Int).Sub(new(big.Int).Lsh(one, 64), one)
	for name, tc := range map[string]struct {
		id   *big.Int
		fits bool
	}{
		"1":         {one, true},
		"2^64 - 1":  {last, true},
		"2^64":      {new(big.Int).Add(last, one), false},
		"2^96 + 1":  {new(big.Int).Add(new(big.Int).Lsh(one, 96), one), false},
		"2^255 + 1": {new(big.Int).Add(new(big.Int).Lsh(one, 255), one), false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEVM(t)
			e.cfg.Origin = common.Address{0: 0x0e}
			at := e.ours(loadFixtures(t).Ceremony.words())
			hash := loadFixtures(t).Ceremony.KeyHash
			rollup := e.rollupFor(at, hash, settle.CircuitTransition, "tiny", new(big.Int))

			config := *e.cfg.ChainConfig
			config.ChainID, e.cfg.ChainConfig = tc.id, &config
			ret, err := e.call(rollup, contract.PackDomain())
			if tc.fits {
				require.NoError(t, err)
				want := new(big.Int).Add(new(big.Int).Lsh(tc.id, 160), new(big.Int).SetBytes(rollup[:]))
				require.Equal(t, want, new(big.Int).SetBytes(ret))
				e.rollupFor(at, hash, settle.CircuitTransition, "tiny", new(big.Int))
				return
			}
			require.Error(t, err)
			tooLarge, err := contract.UnpackChainIdTooLargeError(ret[4:])
			require.NoError(t, err)
			require.Equal(t, tc.id, tooLarge.ChainId)
			_, ret, err = e.deploy(append(common.FromHex(bindings.RollupMetaData.Bin), contract.PackConstructor(new(big.Int), [32]byte{}, bindings.RegistryConfig{
				Governor: common.Address{1}, Delay: new(big.Int), UnsafeDevKeys: true, Operators: []common.Address{e.cfg.Origin},
			})...))
			require.Error(t, err)
			require.Equal(t, bindings.RollupChainIdTooLargeErrorID().Bytes()[:4], ret[:4])
		})
	}
}
