package main

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/ethclient/gethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/state"
)

// requireProofs gets the proof of every account from the API and holds it against
// the root on L1, natively and by the Solidity library in the node's own machine.
func (r *rig) requireProofs(accounts int) {
	r.t.Helper()
	ctx, node := r.t.Context(), r.dial()
	root, err := l1.NewClient(node, r.deployment.Rollup).Root(ctx)
	require.NoError(r.t, err)
	raw, err := os.ReadFile(filepath.Join("..", "..", "verifier", "contracts", "testdata", "AccountProofs.json"))
	require.NoError(r.t, err)
	var artifact struct {
		ABI      abi.ABI       `json:"abi"`
		Bytecode hexutil.Bytes `json:"bytecode"`
	}
	require.NoError(r.t, json.Unmarshal(raw, &artifact))
	code, err := node.CallContract(ctx, ethereum.CallMsg{Data: artifact.Bytecode}, nil) // what the creation returns
	require.NoError(r.t, err)
	at := common.Address{19: 0x99}
	overriding, err := rpc.DialContext(ctx, r.nodeURL)
	require.NoError(r.t, err)
	r.t.Cleanup(overriding.Close)
	solidity := func(p wire.AccountProof) bool {
		r.t.Helper()
		type account struct {
			Owner   *big.Int
			Token   uint32
			Nonce   *big.Int
			Balance *big.Int
			L1      common.Address
		}
		var siblings [48]*big.Int
		for i, s := range p.Siblings {
			siblings[i] = new(big.Int).SetBytes(s[:])
		}
		data, err := artifact.ABI.Pack("verify", new(big.Int).SetBytes(root[:]), uint32(p.Index), account{
			new(big.Int).SetBytes(p.Owner[:]), uint32(p.Token), new(big.Int).SetUint64(uint64(p.Nonce)), p.Balance.Big(), common.Address(p.L1),
		}, siblings)
		require.NoError(r.t, err)
		out, err := gethclient.New(overriding).CallContract(ctx, ethereum.CallMsg{To: &at, Data: data}, nil,
			&map[common.Address]gethclient.OverrideAccount{at: {Code: code}})
		require.NoError(r.t, err)
		values, err := artifact.ABI.Unpack("verify", out)
		require.NoError(r.t, err)
		return values[0].(bool)
	}
	for i := range settle.AccountIndex(accounts) {
		p, err := r.client.SettledAccountProof(ctx, i)
		require.NoError(r.t, err)
		require.NoError(r.t, client.VerifyAccount(p, root))
		require.True(r.t, solidity(p), "account %d", i)
		p.Balance.Lo++
		require.ErrorIs(r.t, client.VerifyAccount(p, root), state.ErrProof)
		require.False(r.t, solidity(p), "account %d with more", i)
	}
}
