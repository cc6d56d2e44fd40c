package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1/devchain"
)

// Parts of the gas of a settlement. They sum to what its receipt says.
const (
	gasBase       = "transaction"                // 21,000
	gasCalldata   = "calldata (EIP-2028)"        // 4 for each zero byte, 16 for others
	gasPairing    = "verification: pairing"      // the precompile
	gasPoints     = "verification: points"       // additions and multiplications: the MSM of the public inputs, and the commitment's
	gasVerifier   = "verification: rest"         // the verifier's own code, SHA-256, and the call
	gasEvaluation = "evaluation of D"            // from the checks of the header to the new root: hashing D to ζ, and v = D(ζ)
	gasExitsTree  = "tree of exits"              // its hashes
	gasRoot       = "storage: root"              // reading and writing the slot
	gasNumber     = "storage: number"            //
	gasExitsRoot  = "storage: root of exits"     // a new slot for each batch that has any
	gasRegistry   = "storage: registry"          // operator, entry and code of the verifier
	gasEvent      = "event"                      //
	gasRest       = "rest"                       // dispatch, reading the header, inputs of an aggregate proof
	gasRefund     = "refund"                     // negative
	gasFloor      = "up to the floor (EIP-7623)" // what the floor by calldata demands beyond the other parts; 0 where it does not bind
)

func gasParts() []string {
	return []string{
		gasBase, gasCalldata, gasPairing, gasPoints, gasVerifier, gasEvaluation, gasExitsTree, gasRoot, gasNumber, gasExitsRoot,
		gasRegistry, gasEvent, gasRest, gasRefund, gasFloor,
	}
}

// gasUse is what a transaction used, by part.
type gasUse struct {
	used  uint64 // of the receipt
	parts map[string]int64
	bytes uint64 // of the transaction as nodes pass it on
	floor uint64 // least gas by EIP-7623
}

// calldataGas is what calldata costs by EIP-2028, and the least that a transaction
// with it uses by EIP-7623.
func calldataGas(data []byte) (gas, floor uint64) {
	zeros := uint64(bytes.Count(data, []byte{0}))
	others := uint64(len(data)) - zeros
	tokens := zeros + others*params.TxTokenPerNonZeroByte
	return zeros*params.TxDataZeroGas + others*params.TxDataNonZeroGasEIP2028, params.TxGas + tokens*params.TxCostFloorPerToken
}

// join sets the parts that follow from the bytes and from the sum: base, calldata,
// and either the refund or what the floor adds.
func (u *gasUse) join(data []byte) error {
	calldata, floor := calldataGas(data)
	u.floor = floor
	u.parts[gasBase], u.parts[gasCalldata] = int64(params.TxGas), int64(calldata)
	u.parts[gasRefund], u.parts[gasFloor] = 0, 0
	switch missing := int64(u.used) - u.sum(); {
	case missing < 0:
		u.parts[gasRefund] = missing
	case missing > 0 && u.used != floor:
		return fmt.Errorf("%d of %d gas are in no part, and the floor of the calldata is %d", missing, u.used, floor)
	default:
		u.parts[gasFloor] = missing
	}
	return nil
}

func (u *gasUse) sum() (total int64) {
	for _, gas := range u.parts {
		total += gas
	}
	return total
}

// gasStep is an instruction of the rollup's own code.
type gasStep struct {
	op          vm.OpCode
	gas         uint64 // left before it
	slot, value common.Hash
}

// stores reports whether the step reads or writes storage, code or the log.
func (s gasStep) stores() bool {
	return slices.Contains([]vm.OpCode{vm.SLOAD, vm.SSTORE, vm.EXTCODEHASH}, s.op) || s.op >= vm.LOG0 && s.op <= vm.LOG4
}

// gasTracer records the rollup's instructions, and the gas of precompiles below it.
type gasTracer struct {
	steps       []gasStep
	start, used uint64 // of the call of the rollup
	called      []common.Address
	precompiles map[common.Address]uint64
}

func (t *gasTracer) hooks() *tracing.Hooks {
	return &tracing.Hooks{
		OnEnter: func(depth int, _ byte, _, to common.Address, _ []byte, gas uint64, _ *big.Int) {
			if depth == 0 {
				t.start = gas
			}
			t.called = append(t.called, to)
		},
		OnExit: func(depth int, _ []byte, used uint64, _ error, _ bool) {
			to := t.called[len(t.called)-1]
			t.called = t.called[:len(t.called)-1]
			if depth == 0 {
				t.used = used
			}
			t.precompiles[to] += used
		},
		OnOpcode: func(_ uint64, op byte, gas, _ uint64, scope tracing.OpContext, _ []byte, depth int, _ error) {
			if depth != 1 {
				return
			}
			step := gasStep{op: vm.OpCode(op), gas: gas}
			stack := scope.StackData()
			if top := len(stack) - 1; step.op == vm.SLOAD || step.op == vm.SSTORE {
				step.slot = stack[top].Bytes32()
				if step.op == vm.SSTORE {
					step.value = stack[top-1].Bytes32()
				}
			}
			t.steps = append(t.steps, step)
		},
	}
}

// traceGas splits the gas of a settlement that moved the rollup to these roots, one
// for each batch.
func traceGas(ctx context.Context, chain *devchain.Chain, tx *types.Transaction, receipt *types.Receipt, roots []settle.Element) (gasUse, error) {
	t := &gasTracer{precompiles: map[common.Address]uint64{}}
	if err := chain.Trace(ctx, receipt, t.hooks()); err != nil {
		return gasUse{}, err
	}
	use := gasUse{used: receipt.GasUsed, bytes: tx.Size(), parts: map[string]int64{}}
	for _, part := range gasParts() {
		use.parts[part] = 0
	}
	for i, part := range t.split(roots) {
		use.parts[part] += int64(t.net(i))
	}
	// What the verifier's call took, less its precompiles, is the verifier's own.
	points := t.precompiles[precompile(6)] + t.precompiles[precompile(7)]
	use.parts[gasPairing], use.parts[gasPoints] = int64(t.precompiles[precompile(8)]), int64(points)
	use.parts[gasVerifier] -= use.parts[gasPairing] + use.parts[gasPoints]
	if got := uint64(use.sum()); got != t.used {
		return gasUse{}, fmt.Errorf("transaction %s: parts of %d gas, its execution took %d", tx.Hash(), got, t.used)
	}
	if use.parts[gasPairing] == 0 || use.parts[gasEvaluation] == 0 {
		return gasUse{}, fmt.Errorf("transaction %s: no verification or no evaluation was seen", tx.Hash())
	}
	if err := use.join(tx.Data()); err != nil {
		return gasUse{}, fmt.Errorf("transaction %s: %w", tx.Hash(), err)
	}
	return use, nil
}

func precompile(n byte) common.Address { return common.BytesToAddress([]byte{n}) }

// net is the gas of a step with all that it called.
func (t *gasTracer) net(i int) uint64 {
	if i+1 < len(t.steps) {
		return t.steps[i].gas - t.steps[i+1].gas
	}
	return t.steps[i].gas - (t.start - t.used)
}

// split names the part of each step. Slots are told by what is written to them: the
// new roots, then the number, then, where there are exits, their root. Code belongs to
// the write that it comes before, back to the last step that stores.
func (t *gasTracer) split(roots []settle.Element) []string {
	names, slots := make([]string, len(t.steps)), map[common.Hash]string{}
	begin, written := 0, 0 // of the code since the last step that stores; slots since the last root
	for i, step := range t.steps {
		names[i] = gasRest
		switch {
		case step.op == vm.STATICCALL:
			names[i] = gasVerifier
		case step.op == vm.SSTORE:
			code := gasRest
			switch {
			case slices.Contains(roots, settle.Element(step.value)):
				written, slots[step.slot], code = 0, gasRoot, gasEvaluation
			case written == 1:
				slots[step.slot] = gasNumber
			default:
				slots[step.slot], code = gasExitsRoot, gasExitsTree
			}
			written++
			for j := begin; j < i; j++ {
				names[j] = code
			}
		case step.op >= vm.LOG0 && step.op <= vm.LOG4:
			names[i] = gasEvent
		}
		if step.stores() {
			begin = i + 1
		}
	}
	for i, step := range t.steps {
		if step.op != vm.SLOAD && step.op != vm.SSTORE && step.op != vm.EXTCODEHASH {
			continue
		}
		names[i] = gasRegistry
		if name, ok := slots[step.slot]; ok && step.op != vm.EXTCODEHASH {
			names[i] = name
		}
	}
	return names
}
