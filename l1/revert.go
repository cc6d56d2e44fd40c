package l1

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// RevertError is a call that a contract refused.
type RevertError struct {
	Name   string // of the custom error, or "Error" for a plain reason; empty if unknown
	Detail string // name and arguments, for people
	Data   []byte // as the node gave it
}

// Error implements error.
func (e *RevertError) Error() string { return "reverted: " + e.Detail }

// AsRevert returns the RevertError that a JSON-RPC error carries, if any.
func AsRevert(err error) (*RevertError, bool) {
	var known *RevertError
	if errors.As(err, &known) {
		return known, true
	}
	var withData rpc.DataError
	if !errors.As(err, &withData) {
		return nil, false
	}
	text, ok := withData.ErrorData().(string)
	if !ok {
		return nil, false
	}
	data, err := hexutil.Decode(text)
	if err != nil {
		return nil, false
	}
	return decodeRevert(data), true
}

// decodeRevert reads the custom errors of our contracts and plain reasons.
func decodeRevert(data []byte) *RevertError {
	e := &RevertError{Data: data, Detail: "without a reason"}
	if len(data) < 4 {
		return e
	}
	if reason, err := abi.UnpackRevert(data); err == nil {
		e.Name, e.Detail = "Error", reason
		return e
	}
	e.Detail = "0x" + hex.EncodeToString(data)
	for _, parsed := range contractABIs() {
		definition, err := parsed.ErrorByID([4]byte(data[:4]))
		if err != nil {
			continue
		}
		values, err := definition.Inputs.Unpack(data[4:])
		if err != nil {
			continue
		}
		e.Name, e.Detail = definition.Name, describe(definition, values)
		return e
	}
	return e
}

func contractABIs() []abi.ABI {
	return []abi.ABI{bindings.NewRollup().GetABI(), bindings.NewGroth16Verifier().GetABI()}
}

// describe returns Name(argument=value, …); bytes32 as text where it is a name.
func describe(e *abi.Error, values []any) string {
	parts := make([]string, len(values))
	for i, v := range values {
		text := fmt.Sprint(v)
		if word, ok := v.([32]byte); ok {
			text = common.Hash(word).Hex()
			if name, ok := nameOf(word); ok {
				text = name
			}
		}
		parts[i] = e.Inputs[i].Name + "=" + text
	}
	return e.Name + "(" + strings.Join(parts, ", ") + ")"
}

// name32 encodes the name of a circuit or shape: ASCII, padded right with zeros.
func name32(name string) ([32]byte, error) {
	var out [32]byte
	if name == "" || len(name) > len(out) {
		return out, fmt.Errorf("name %q does not fit 32 bytes", name)
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return out, fmt.Errorf("name %q is not printable ASCII", name)
		}
	}
	copy(out[:], name)
	return out, nil
}

// nameOf is the inverse of name32.
func nameOf(word [32]byte) (string, bool) {
	name := strings.TrimRight(string(word[:]), "\x00")
	again, err := name32(name)
	return name, err == nil && again == word
}
