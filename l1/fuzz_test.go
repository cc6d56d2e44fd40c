package l1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// fuzzBatch is D of a batch with records of each kind.
func fuzzBatch(number settle.BatchNumber) *publicdata.Data {
	d := &publicdata.Data{
		Header:      publicdata.Header{Number: number, NewRoot: fr.NewElement(uint64(number) + 1), Domain: fr.NewElement(7)},
		FeeAccounts: []publicdata.FeeAccount{{Token: 1, Index: 2}},
		Transfers:   []publicdata.Transfer{{Kind: 1, From: 1, To: 2, Amount: 3, Fee: 4}, {Kind: 2, To: 5}, {Kind: 3}},
		Opens:       []publicdata.Open{{Owner: fr.NewElement(9), L1: settle.Address{1}}},
		Exits:       []publicdata.Exit{{L1: settle.Address{2}, Token: 3, Amount: settle.NewAmount(4)}},
	}
	d.Header.OldRoot = fr.NewElement(uint64(number))
	return d
}

func fuzzCalls() [][]byte {
	pack := func(batches ...*publicdata.Data) (words []*big.Int) {
		for _, d := range batches {
			for _, w := range d.Words() {
				words = append(words, w.BigInt(new(big.Int)))
			}
		}
		return words
	}
	rollup, empty := bindings.NewRollup(), &publicdata.Data{Header: publicdata.Header{Number: 9}}
	one, two := big.NewInt(1), []*big.Int{big.NewInt(1), big.NewInt(2)}
	return [][]byte{
		rollup.PackSettle([32]byte{'t'}, 1, one, pack(fuzzBatch(1)), []byte("proof")),
		rollup.PackSettle([32]byte{'t'}, 1, one, pack(empty), nil),
		rollup.PackSettle([32]byte{'t'}, 1, one, append(pack(empty), one), nil),
		rollup.PackSettle([32]byte{'t'}, 1, one, []*big.Int{fr.Modulus(), one, one, one, one}, nil),
		rollup.PackSettleAggregate([32]byte{'t'}, 1, one, two, pack(fuzzBatch(1), fuzzBatch(2)), []byte("proof")),
		rollup.PackSettleAggregate([32]byte{'t'}, 1, one, two, pack(empty), nil),
		rollup.PackSettleAggregate([32]byte{'t'}, 1, one, nil, pack(empty), nil),
		rollup.PackRoot(),
	}
}

// FuzzCalldata reads bytes as a call that settles, and as a revert. What is read is what
// a second, plain reading finds behind the offsets, and nothing else stands there.
func FuzzCalldata(f *testing.F) {
	for _, call := range fuzzCalls() {
		f.Add(call)
		f.Add(call[:len(call)*2/3])
		if len(call) > 200 { // words behind another offset
			moved := bytes.Clone(call)
			moved[4+3*32+31] += 32
			f.Add(moved)
		}
	}
	for _, parsed := range contractABIs() {
		for _, e := range parsed.Errors {
			f.Add(append(bytes.Clone(e.ID[:4]), make([]byte, 32*len(e.Inputs))...))
		}
	}
	f.Add(hexutil.MustDecode("0x08c379a0" + fmt.Sprintf("%064x%064x", 32, 3) + "616263" + strings.Repeat("0", 58)))
	f.Add([]byte{})
	client, contracts := NewClient(nil, settle.Address{}), contractABIs()
	f.Fuzz(func(t *testing.T, b []byte) {
		var data []*publicdata.Data
		var err error
		require.Less(t, heap.Allocated(func() { data, err = client.settlementData(b) }), uint64(4<<20+64*len(b)))
		if err == nil {
			var words []fr.Element
			for _, d := range data {
				words = append(words, d.Words()...)
			}
			require.Equal(t, wordsPlainly(t, b), words)
		}
		revert := decodeRevert(b)
		require.Equal(t, b, revert.Data)
		require.NotEmpty(t, revert.Detail)
		for _, parsed := range contracts {
			if e, known := parsed.Errors[revert.Name]; known && bytes.HasPrefix(b, e.ID[:4]) {
				values, err := e.Inputs.Unpack(b[4:])
				require.NoError(t, err)
				again, err := e.Inputs.Pack(values...)
				require.NoError(t, err)
				read, err := e.Inputs.Unpack(again)
				require.NoError(t, err)
				require.Equal(t, values, read)
			}
		}
	})
}

// wordsPlainly follows the offset of the argument words of either call.
func wordsPlainly(t *testing.T, call []byte) []fr.Element {
	t.Helper()
	place, body := 3, call[4:]
	if bytes.Equal(call[:4], crypto.Keccak256([]byte("settleAggregate(bytes32,uint32,uint256,uint256[],uint256[],bytes)"))[:4]) {
		place = 4
	} else {
		require.Equal(t, crypto.Keccak256([]byte("settle(bytes32,uint32,uint256,uint256[],bytes)"))[:4], call[:4])
	}
	word := func(at int) *big.Int { return new(big.Int).SetBytes(body[at : at+32]) }
	offset := int(word(32 * place).Int64())
	words := make([]fr.Element, word(offset).Int64())
	for i := range words {
		w := word(offset + 32 + 32*i)
		require.Negative(t, w.Cmp(fr.Modulus()))
		words[i].SetBigInt(w)
	}
	return words
}

// hostileNode answers each method of JSON-RPC with a given result.
type hostileNode map[string]string

func (n hostileNode) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	answer := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, asked.ID, n[asked.Method])
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(answer)), ContentLength: int64(len(answer)), Request: r,
	}, nil
}

// FuzzNode answers our questions to L1 with whatever it likes: events, transactions,
// receipts and results of calls. We never fall over; and what we take as the data of a
// settled batch is the one that the event names, with its root.
func FuzzNode(f *testing.F) {
	seedNode(f)
	header, err := json.Marshal(&types.Header{Number: big.NewInt(9), Difficulty: new(big.Int), Time: 5})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, logs, tx, receipt, call string) {
		for _, answer := range []string{logs, tx, receipt} {
			if !json.Valid([]byte(answer)) {
				return
			}
		}
		quoted := `"` + hexutil.Encode([]byte(call)) + `"`
		transport := hostileNode{
			"eth_blockNumber": `"0x9"`, "eth_getLogs": logs, "eth_getTransactionByHash": tx, "eth_getTransactionReceipt": receipt,
			"eth_call": quoted, "eth_getCode": quoted, "eth_getBlockByNumber": string(header),
		}
		connection, err := rpc.DialOptions(t.Context(), "http://node", rpc.WithHTTPClient(&http.Client{Transport: transport}))
		require.NoError(t, err)
		node := NewConn(connection)
		defer node.Close()
		client := NewClient(node, settle.Address{1})

		_ = client.History(t.Context(), 1, 9, func(s Settled) error {
			require.Equal(t, s.Number, s.Data.Header.Number)
			require.Equal(t, s.Root, settle.Element(s.Data.Header.NewRoot.Bytes()))
			again, err := publicdata.Parse(s.Data.Words())
			require.NoError(t, err)
			require.Equal(t, s.Data, again)
			return nil
		})
		if found, err := client.SettledBy(t.Context(), 1, 1); err == nil {
			require.Equal(t, client.address, found.Address)
		}
		if claims, err := client.claimsIn(t.Context(), 1, 9); err == nil {
			for _, c := range claims {
				require.True(t, 1 <= c.Block && c.Block <= 9)
			}
		}
		_, _ = client.Registry(t.Context(), 1, time.Time{})
		if root, err := client.Root(t.Context()); err == nil {
			require.Equal(t, []byte(call)[:32], root[:])
		}
		s := &Submitter{cfg: SubmitterConfig{Rollup: settle.Address{1}}, client: client, contract: client.contract}
		if r, err := receiptOf(t.Context(), node, common.Hash{2}); err == nil {
			require.NotNil(t, r.BlockNumber)
			if last, err := s.lastSettled(r, 1); err == nil {
				require.GreaterOrEqual(t, int(last), 1)
				require.LessOrEqual(t, int(last), len(r.Logs))
			}
		} else {
			require.Nil(t, r)
		}
	})
}

func seedNode(f *testing.F) {
	key, err := crypto.ToECDSA(append(make([]byte, 31), 1))
	require.NoError(f, err)
	to, events := common.Address{1}, bindings.NewRollup().GetABI().Events
	encode := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(f, err)
		return string(b)
	}
	settled := func(tx common.Hash, numbers ...uint64) (logs []*types.Log) {
		for i, n := range numbers {
			logs = append(logs, &types.Log{
				Address: to, Topics: []common.Hash{events["BatchSettled"].ID, common.BigToHash(new(big.Int).SetUint64(n))},
				Data: append(common.BigToHash(new(big.Int).SetUint64(n+1)).Bytes(), make([]byte, 32)...), BlockNumber: 3, TxHash: tx, Index: uint(i),
			})
		}
		return logs
	}
	word := string(make([]byte, 32))
	for _, call := range fuzzCalls() {
		tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(5)), &types.DynamicFeeTx{
			ChainID: big.NewInt(5), GasFeeCap: big.NewInt(1), GasTipCap: big.NewInt(1), To: &to, Data: call,
		})
		require.NoError(f, err)
		logs := settled(tx.Hash(), 1, 2)
		receipt := encode(&types.Receipt{Type: 2, Status: 1, TxHash: common.Hash{2}, Logs: logs, BlockNumber: big.NewInt(3), EffectiveGasPrice: big.NewInt(1)})
		f.Add(encode(logs[:1]), encode(tx), receipt, word)
		f.Add(encode(logs), encode(tx), strings.Replace(receipt, `"blockNumber":"0x3"`, `"blockNumber":null`, 1), "")
	}
	claim := settled(common.Hash{4}, 1)
	claim[0].Topics = []common.Hash{events["ExitClaimed"].ID, {31: 1}, {31: 2}, {31: 3}}
	f.Add(encode(claim), "null", "null", word)
	registered := settled(common.Hash{}, 1)
	registered[0].Topics = []common.Hash{events["VerifierRegistered"].ID, {'a'}, {'b'}, {31: 1}}
	f.Add(encode(registered), "null", "null", strings.Repeat(word, 4))
	registered[0].Topics = []common.Hash{events["VerifierProposed"].ID, {1}}
	registered[0].Data = make([]byte, 32*8)
	f.Add(encode(registered), "{}", "{}", strings.Repeat(word, 4))
	registered[0].Topics = []common.Hash{}
	f.Add(encode(registered), "null", `{"logs":[null]}`, word)
	f.Add("[null]", `"x"`, "[]", "x")
	f.Add("null", "null", "null", strings.Repeat("\xff", 32))
}

// What no node answers is told as such, and never taken.
func TestNodeAnswersAreChecked(t *testing.T) {
	rollup := settle.Address{1}
	settled := bindings.NewRollup().GetABI().Events["BatchSettled"].ID
	log := types.Log{Address: common.Address(rollup), Topics: []common.Hash{settled, {31: 1}}, Data: make([]byte, 64)}
	receipt := types.Receipt{Status: 1, TxHash: common.Hash{2}, BlockNumber: big.NewInt(3), Logs: []*types.Log{}}
	client := func(method string, answer any) *Client {
		encoded, err := json.Marshal(answer)
		require.NoError(t, err)
		connection, err := rpc.DialOptions(t.Context(), "http://node", rpc.WithHTTPClient(&http.Client{Transport: hostileNode{"eth_blockNumber": `"0x9"`, method: string(encoded)}}))
		require.NoError(t, err)
		t.Cleanup(connection.Close)
		return NewClient(NewConn(connection), rollup)
	}
	for name, change := range map[string]func(*types.Log){
		"without topics":      func(l *types.Log) { l.Topics = []common.Hash{} },
		"of another contract": func(l *types.Log) { l.Address = common.Address{9} },
		"of another event":    func(l *types.Log) { l.Topics = []common.Hash{{9}, {31: 1}} },
	} {
		changed := log
		change(&changed)
		c := client("eth_getLogs", []types.Log{changed})
		_, err := c.SettledBy(t.Context(), 1, 1)
		require.ErrorIs(t, err, ErrNodeAnswer, name)
		require.ErrorIs(t, c.History(t.Context(), 1, 2, func(Settled) error { return nil }), ErrNodeAnswer, name)
		_, err = c.Registry(t.Context(), 1, time.Time{})
		require.ErrorIs(t, err, ErrNodeAnswer, name)
		_, err = c.claimsIn(t.Context(), 1, 2)
		require.ErrorIs(t, err, ErrNodeAnswer, name)
		_, err = c.ClaimedBy(t.Context(), 1, 2, 1)
		require.ErrorIs(t, err, ErrNodeAnswer, name)
	}
	_, err := client("eth_getLogs", []types.Log{log}).SettledBy(t.Context(), 2, 1)
	require.ErrorIs(t, err, ErrNodeAnswer, "of another batch")
	claim := log
	claim.Topics = []common.Hash{bindings.NewRollup().GetABI().Events["ExitClaimed"].ID, {31: 1}, {31: 2}, {31: 3}}
	claim.BlockNumber = 3
	_, err = client("eth_getLogs", []types.Log{claim}).ClaimedBy(t.Context(), 1, 3, 1)
	require.ErrorIs(t, err, ErrNodeAnswer, "of another exit")
	_, err = client("eth_getLogs", []types.Log{claim}).claimsIn(t.Context(), 1, 2)
	require.ErrorIs(t, err, ErrNodeAnswer, "of another block")
	for name, change := range map[string]func(*types.Receipt){
		"of no block":            func(r *types.Receipt) { r.BlockNumber = nil },
		"of another transaction": func(r *types.Receipt) { r.TxHash = common.Hash{9} },
		"with an event missing":  func(r *types.Receipt) { r.Logs = []*types.Log{nil} },
	} {
		changed := receipt
		change(&changed)
		_, err := receiptOf(t.Context(), client("eth_getTransactionReceipt", changed).node, common.Hash{2})
		require.ErrorIs(t, err, ErrNodeAnswer, name)
	}
}
