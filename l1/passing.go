package l1

import (
	"errors"

	"github.com/ethereum/go-ethereum/rpc"
)

// MayPass reports whether err is an outage or an answer of a node that refuses for the
// moment, for whatever reason it gives: a limit, a ban, a fault of its own. Only the
// refusal by a contract is final, and what we found out about the chain.
func MayPass(err error) bool {
	if _, reverted := AsRevert(err); reverted {
		return false
	}
	var status rpc.HTTPError
	var answer rpc.Error
	return IsUnavailable(err) || errors.As(err, &status) || errors.As(err, &answer)
}
