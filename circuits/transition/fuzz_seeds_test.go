package transition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// seed is an input that FuzzStateAndCircuit begins with, and what becomes of its
// transactions.
type seed struct {
	name string
	situation
	verdicts string
}

// Places in the tables of what an account has.
const (
	firstKey, secondKey, thirdKey, nobody                  = 0, 1, 2, 3
	holds1000, holds0, holds1, holds2, holdsLess, holdsMax = 0, 1, 2, 3, 8, 10 // holdsLess: 2^128 - 1001
	nonceMaxLess1, nonceMax                                = 5, 6
	takesNoFees                                            = 128 // in L1
)

// trio is an account that takes the fees, and two that pay.
func trio() []fuzzAccount {
	return []fuzzAccount{{Owner: firstKey}, {Owner: secondKey, L1: 1}, {Owner: thirdKey, L1: 3}}
}

func situations() []seed {
	pay := func(from, to uint8) fuzzOp {
		return fuzzOp{From: from, To: to, How: amountSmall | feeSmall, Amount: 10, Fee: 1}
	}
	with := func(o fuzzOp, kind, how uint8) fuzzOp { o.Kind, o.How = kind, how; return o }
	faulty := func(o fuzzOp, fault uint8) fuzzOp { o.Fault = fault; return o }
	next := uint8(128)
	all := []seed{
		{"nothing at all", situation{accounts: trio()}, ""},
		{"an empty batch, and one with two transfers", situation{accounts: trio(), ops: []fuzzOp{{Kind: opSeal}, pay(1, 2), pay(2, 1)}}, "ok ok"},
		{"a genesis file and three batches", situation{
			Mode: genesisFile, accounts: trio(),
			ops: []fuzzOp{pay(1, 2), pay(2, 0), pay(1, 1), with(pay(1, next), opOpen, amountSmall), with(pay(3, 0), opExit, amountSmall|feeNone), with(pay(2, 3), opTransfer, amountRest)},
		}, "ok ok ok ok ok ok"},
		{"the fee account pays itself, exits and is emptied", situation{
			Mode: moreSlots, Layout: 1, accounts: trio()[:1], ops: []fuzzOp{pay(0, 0), with(pay(0, 0), opExit, amountSmall|feeSmall), with(pay(0, 0), opExitAll, feeSmall)},
		}, "ok ok ok"},
		{"opened with all there is, paid in its batch, emptied in the next, and opened again", situation{
			Mode: moreSlots, accounts: trio(),
			ops: []fuzzOp{with(pay(1, next), opOpen, amountRest|feeNone), pay(2, 3), with(pay(3, 0), opExitAll, feeSmall), with(pay(2, 3), opOpen, amountSmall)},
		}, "ok ok ok slot taken"},
		{"an open into a slot that is taken, and into a vacant one", situation{
			accounts: trio(), ops: []fuzzOp{with(pay(1, 2), opOpen, amountSmall), with(pay(1, 1), opOpen, amountSmall), with(pay(1, 3), opOpen, amountSmall)},
		}, "slot taken slot taken ok"},
		{"the last index is taken", situation{Layout: 3, accounts: trio(), ops: []fuzzOp{with(pay(1, next), opOpen, amountSmall)}}, "ok"},
		{"the last number but one", situation{Number: 3, accounts: trio(), ops: []fuzzOp{pay(1, 2), {Kind: opSeal}, pay(2, 1)}}, "ok"},
		{"once more, in the batch and behind it", situation{
			accounts: trio(), ops: []fuzzOp{pay(1, 2), {Kind: opAgain}, {Kind: opSeal}, {Kind: opAgain}},
		}, "ok stale_nonce stale_nonce"},
		{"a nonce ahead whose time comes", situation{
			accounts: trio(), ops: []fuzzOp{faulty(pay(1, 2), faultNonceAhead), pay(1, 2), {Kind: opAgain}},
		}, "nonce_too_far ok ok"},
		{"the last nonce but one, and the last", situation{
			accounts: []fuzzAccount{{}, {Owner: secondKey, Nonce: nonceMaxLess1}}, ops: []fuzzOp{pay(1, 0), pay(1, 0)},
		}, "ok nonce_too_far"},
		{"the last nonce, exit-all", situation{
			accounts: []fuzzAccount{{}, {Owner: secondKey, Nonce: nonceMax}}, ops: []fuzzOp{with(pay(1, 0), opExitAll, feeSmall)},
		}, "nonce_too_far"},
		{"balances of 0, 1 and 2", situation{
			accounts: []fuzzAccount{{Balance: holds0}, {Balance: holds1}, {Balance: holds2}},
			ops:      []fuzzOp{pay(0, 1), with(pay(0, 1), opTransfer, amountNothing|feeNone), with(pay(1, 0), opTransfer, amountWhole|feeNone), with(pay(2, 0), opTransfer, amountRest|feeSmall)},
		}, "insufficient_balance ok ok ok"},
		{"a receiver with no room", situation{
			accounts: []fuzzAccount{{}, {Owner: secondKey}, {Owner: thirdKey, Balance: holdsMax}}, ops: []fuzzOp{with(pay(1, 2), opTransfer, amountSmall|feeNone)},
		}, "balance_overflow"},
		{"a receiver that is filled to the last unit, and one more", situation{
			accounts: []fuzzAccount{{}, {Owner: secondKey, Balance: 4}, {Owner: thirdKey, Balance: holdsLess}},
			ops:      []fuzzOp{with(pay(1, 2), opTransfer, amountFills|feeNone), with(pay(1, 2), opTransfer, amountSmall|feeNone)},
		}, "ok balance_overflow"},
		{"a fee account with no room", situation{
			accounts: []fuzzAccount{{Balance: holdsMax}, {Owner: secondKey}, {Owner: thirdKey}}, ops: []fuzzOp{pay(1, 2), pay(0, 1)},
		}, "balance_overflow ok"},
		{"all of 2^128 - 1 exits", situation{
			accounts: []fuzzAccount{{Balance: holdsMax}}, ops: []fuzzOp{with(pay(0, 0), opExitAll, feeNone)},
		}, "ok"},
		{"of the whole balance and more", situation{
			accounts: trio(), ops: []fuzzOp{with(pay(1, 2), opTransfer, amountOver|feeNone), with(pay(1, 2), opTransfer, amountWhole|feeSmall), with(pay(1, 2), opTransfer, amountWhole)},
		}, "insufficient_balance insufficient_balance insufficient_balance"},
		{"an amount of 2^128", situation{
			Forced: 1, accounts: []fuzzAccount{{Balance: holdsMax}, {Balance: holds0}},
			ops: []fuzzOp{with(pay(0, 1), opTransfer, amountWhole|feeNone), {To: 1, Amount: 1<<40 - 1}},
		}, "ok amount_not_representable"},
		{"exits of nothing", situation{
			Forced: 1, accounts: trio(),
			ops: []fuzzOp{with(pay(1, 0), opExit, amountNothing|feeNone), with(pay(1, 0), opExitAll, feeWhole), with(pay(1, 0), opExit, amountOver|feeNone)},
		}, "zero_amount zero_amount insufficient_balance"},
		{"exit-all below its fee", situation{accounts: trio(), ops: []fuzzOp{{Kind: opExitAll, From: 1, Fee: 1001}}}, "insufficient_balance"},
		{"accounts of nobody", situation{
			accounts: []fuzzAccount{{}, {Owner: nobody}}, ops: []fuzzOp{pay(0, 1), pay(1, 0), pay(3, 0), pay(0, 3)},
		}, "ok bad_signature unknown_account unknown_account"},
		{"two tokens in one batch", situation{
			Mode: moreSlots, Layout: 2, accounts: []fuzzAccount{{}, {Token: 2}, {Owner: secondKey}, {Owner: secondKey, Token: 2}},
			ops: []fuzzOp{pay(2, 0), pay(3, 1), pay(2, 3)},
		}, "ok ok wrong_token"},
		{"two tokens that do not fit one batch", situation{
			accounts: []fuzzAccount{{}, {Token: 1}, {Owner: secondKey}, {Owner: secondKey, Token: 1}}, ops: []fuzzOp{pay(2, 0), pay(3, 1)},
		}, "ok ok"},
		{"no account takes the fees", situation{
			accounts: []fuzzAccount{{L1: takesNoFees}, {L1: takesNoFees}}, ops: []fuzzOp{pay(0, 1)},
		}, "no_fee_account"},
		{"an empty slot takes the fees", situation{
			Mode: vacantFee, accounts: []fuzzAccount{{L1: takesNoFees}, {L1: takesNoFees}}, ops: []fuzzOp{pay(0, 1)},
		}, "no_fee_account"},
		{"no account takes the fees, and it is too much", situation{
			accounts: []fuzzAccount{{L1: takesNoFees}, {L1: takesNoFees}}, ops: []fuzzOp{with(pay(0, 1), opTransfer, amountOver)},
		}, "no_fee_account"},
		{"no account takes the fees, and the token is another", situation{
			accounts: []fuzzAccount{{L1: takesNoFees}, {L1: takesNoFees}}, ops: []fuzzOp{faulty(pay(0, 1), faultToken)},
		}, "no_fee_account"},
		{"a kind that does not exist", situation{accounts: trio(), ops: []fuzzOp{with(faulty(pay(1, 2), 9), opOtherKind, amountSmall)}}, "unsupported_kind"},
		{"a slot at the other end of the tree does not fit", situation{
			Layout: 3, accounts: trio()[:1], ops: []fuzzOp{with(pay(0, 1), opOpen, amountSmall), pay(0, 0)},
		}, "no room ok"},
	}
	verdicts := map[uint8]settle.Code{
		faultLastBatch: "ok", faultNonceAhead: settle.CodeNonceTooFar, faultNonceBehind: settle.CodeStaleNonce, faultLastNonce: settle.CodeNonceTooFar,
		faultToken: settle.CodeWrongToken, faultExpired: settle.CodeExpired, faultZero: "ok",
		faultNoOwner: settle.CodeReceiverMismatch, faultOwner: settle.CodeReceiverMismatch, faultL1: settle.CodeReceiverMismatch,
	}
	for fault := uint8(faultExpired); fault < faults; fault++ {
		verdict := settle.CodeBadSignature
		if v, ok := verdicts[fault]; ok {
			verdict = v
		}
		o := faulty(pay(1, 2), fault)
		if fault == faultReceiver || fault == faultAmount {
			o.Kind, verdict = opExitAll, settle.CodeInvalidField
		}
		all = append(all, seed{
			fmt.Sprintf("fault %d", fault),
			situation{Number: 1, accounts: []fuzzAccount{{}, {Owner: secondKey, Nonce: 1}, {Owner: thirdKey}, {Token: 1}}, ops: []fuzzOp{o}},
			string(verdict),
		})
	}
	for _, x := range []struct {
		kind, fault uint8
		verdict     settle.Code
	}{
		{opOpen, faultNoOwner, settle.CodeInvalidField},
		{opOpen, faultReceiver, settle.CodeInvalidField},
		{opOpen, faultSignedTo, settle.CodeBadSignature},
		{opOpen, faultSignedL1, settle.CodeBadSignature},
		{opExit, faultNoOwner, "ok"},
		{opExit, faultOwner, settle.CodeInvalidField},
		{opExit, faultL1, settle.CodeReceiverMismatch},
		{opExitAll, faultToken, settle.CodeWrongToken},
		{opExitAll, faultZero, settle.CodeInvalidField},
		{opExitAll, faultSignedKind, settle.CodeBadSignature},
	} {
		o := faulty(pay(1, 2), x.fault)
		o.Kind = x.kind
		if x.kind == opOpen {
			o.To = next
		}
		all = append(all, seed{
			fmt.Sprintf("kind %d, fault %d", x.kind+1, x.fault), situation{Mode: genesisFile, accounts: append(trio(), fuzzAccount{Token: 1}), ops: []fuzzOp{o}}, string(x.verdict),
		})
	}
	return all
}

// TestSeedsAreWhatTheySay: without circuits, and behind their encoding.
func TestSeedsAreWhatTheySay(t *testing.T) {
	for _, x := range situations() {
		t.Run(x.name, func(t *testing.T) {
			parsed := parseSituation(x.bytes(t))
			require.Equal(t, x.ops, parsed.ops)
			z := newFuzzed(t, parsed, nil)
			z.run(parsed.ops)
			require.Equal(t, x.verdicts, strings.Join(z.verdicts, " "))
		})
	}
}
