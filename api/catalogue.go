package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/zksettle/settle"
)

// entry explains one code. docs/errors.md is rendered from the catalogue.
type entry struct {
	code    settle.Code
	status  int
	meaning string // also the title of the problem
	remedy  string
}

// catalogue lists every settle.Code once; a test compares it with the constants.
var catalogue = []entry{
	{settle.CodeMalformedJSON, http.StatusBadRequest, "The body is not one valid JSON value of the expected form",
		"Send one transaction object, or an array of them, without repeated fields or text behind it."},
	{settle.CodeUnknownField, http.StatusBadRequest, "A field or query parameter does not exist",
		"Remove or correct the name; names are case-sensitive and listed in /openapi.json."},
	{settle.CodeInvalidField, http.StatusBadRequest, "A field is missing, of the wrong type or out of range",
		"Correct the field that the detail names."},
	{settle.CodeTooManyItems, http.StatusRequestEntityTooLarge, "The array has too many items",
		"Send at most 1,000 transactions per request."},
	{settle.CodeBodyTooLarge, http.StatusRequestEntityTooLarge, "The body is too large",
		"Send fewer transactions per request; the detail names the limit in bytes."},
	{settle.CodeUnsupportedKind, http.StatusUnprocessableEntity, "This rollup does not take this kind of transaction",
		"Send a kind that /v1/status lists under kinds."},
	{settle.CodeUnknownAccount, http.StatusUnprocessableEntity, "The sender or receiver does not exist",
		"Look the index up by owner and l1 (GET /v1/accounts)."},
	{settle.CodeWrongToken, http.StatusUnprocessableEntity, "An account holds another token",
		"Use accounts of sender and receiver that hold the transaction's token."},
	{settle.CodeReceiverMismatch, http.StatusUnprocessableEntity, "The receiver's account does not belong to the signed pair (owner, l1)",
		"Look the index up by the pair, or correct to_owner and to_l1, and sign again."},
	{settle.CodeBadSignature, http.StatusUnprocessableEntity, "The signature does not verify, or is not by the sender's key",
		"Sign exactly the submitted fields under the domain of /v1/status with the key that owns the account."},
	{settle.CodeSignatureEncoding, http.StatusBadRequest, "The signature is not in canonical form",
		"Send R.x below r and s in [1, q), each 32 bytes big-endian."},
	{settle.CodeStaleNonce, http.StatusConflict, "The nonce is used already",
		"Sign again with next_nonce of the account."},
	{settle.CodeNonceTooFar, http.StatusUnprocessableEntity, "The nonce is too far ahead of the account",
		"Send the transactions before it first; the window is 256 nonces."},
	{settle.CodeNonceConflict, http.StatusConflict, "Another transaction with this nonce waits already",
		"Use next_nonce of the account; a waiting transaction cannot be replaced."},
	{settle.CodeNonceGapExpired, http.StatusConflict, "The transaction waited too long behind a missing nonce",
		"Submit the missing transaction, then this one again."},
	{settle.CodeAmountUnfit, http.StatusUnprocessableEntity, "The amount or fee has no exact short form",
		"Use the nearest amount below, which the detail names, and send the rest in a second transaction."},
	{settle.CodeAmountEncoding, http.StatusBadRequest, "The amount or fee is not in canonical form",
		"Write whole smallest units in decimal digits, without sign, point, exponent or leading zeros."},
	{settle.CodeInsufficientBalance, http.StatusUnprocessableEntity, "The balance does not cover amount and fee",
		"Send at most what is available: the executed balance less accepted, unexecuted debits; nothing while an exit-all is pending."},
	{settle.CodeZeroAmount, http.StatusUnprocessableEntity, "An exit would pay nothing",
		"Exit an amount above zero; exit-all needs a balance above the fee."},
	{settle.CodeFeeTooLow, http.StatusUnprocessableEntity, "The fee is below the minimum of the token",
		"Pay at least minimum_fee of /v1/status."},
	{settle.CodeNoFeeAccount, http.StatusUnprocessableEntity, "The token has no fee account",
		"Use a token that /v1/status lists under fee_accounts."},
	{settle.CodeAccountsExhausted, http.StatusUnprocessableEntity, "The rollup has no index left for a new account",
		"Send to an account that exists."},
	{settle.CodeExpired, http.StatusUnprocessableEntity, "The transaction's last batch has passed",
		"Sign again with a later valid_until, or none."},
	{settle.CodeBalanceOverflow, http.StatusUnprocessableEntity, "The receiver's balance would reach 2^128",
		"Send less, or to another account."},
	{settle.CodeInvalidProof, http.StatusUnprocessableEntity, "The proof does not verify",
		"Check that proof, inputs and key hash belong together. Not returned by the REST interface."},
	{settle.CodeNotFound, http.StatusNotFound, "There is nothing at this address",
		"Check the path and the id, index or number in it against /openapi.json."},
	{settle.CodeMethodNotAllowed, http.StatusMethodNotAllowed, "The method is not allowed here",
		"Use a method that the Allow header names."},
	{settle.CodeUnsupportedMedia, http.StatusUnsupportedMediaType, "The body's media type is not taken",
		"Send Content-Type: application/json without a content encoding."},
	{settle.CodeRequestTimeout, http.StatusRequestTimeout, "The body did not arrive in time",
		"Send it again; submitting twice is harmless."},
	{settle.CodeBackPressure, http.StatusTooManyRequests, "Too much unfinished work",
		"Wait for Retry-After seconds and submit the same again; nothing of the request was stored."},
	{settle.CodeUnavailable, http.StatusServiceUnavailable, "A service that we need cannot be reached for the moment",
		"Wait for Retry-After seconds and repeat the request; submitting twice is harmless."},
	{settle.CodeInternal, http.StatusInternalServerError, "A failure on our side",
		"Repeat the request later; if it persists, report the reference that the detail names."},
}

// explain returns the entry of a code; an unlisted one is explained as internal.
func explain(code settle.Code) entry {
	for _, e := range catalogue {
		if e.code == code {
			return e
		}
	}
	return entry{code, http.StatusInternalServerError, "A failure on our side", "Report it."}
}

// errorsPage renders docs/errors.md.
func errorsPage() string {
	var b strings.Builder
	b.WriteString(`# Errors

Every error of the REST interface is an RFC 9457 problem (` + "`application/problem+json`" + `) with a stable ` + "`code`" + `:

` + "```json" + `
{
  "type": "urn:settle:error:stale_nonce",
  "title": "The nonce is used already",
  "status": 409,
  "detail": "nonce 4 is used, account 3 is at nonce 12",
  "code": "stale_nonce"
}
` + "```" + `

- ` + "`code`" + ` never changes its meaning; ` + "`detail`" + ` says what was wrong and what was expected, for people.
- 4xx is about the request. Our own failures are 500 and 503, and never leave a part of a request stored.
- 429 and 503 carry ` + "`Retry-After`" + ` in seconds. Repeating a submission is harmless: the same transaction has the same id.
- An array is answered by 200 with one result per item, in order; a refused item has its problem in
  ` + "`results[i].problem`" + ` with ` + "`index`" + `, and the good ones are stored. A problem of the whole request (the body is not
  JSON, too many items, back-pressure, database down) is answered by its own status, and then nothing was stored.
- A transaction that is accepted may have a ` + "`warning`" + ` with a stable code: ` + "`account_exists`" + ` says that an open is for a payment
  address that has an account of the token already, which ` + "`account`" + ` names.
- Only what is not a readable HTTP request at all (or has a header above 16 KiB) is answered by the HTTP server in plain text.
- The codes also stand in ` + "`rejection.code`" + ` of a transaction that was accepted and later rejected by the sequencer.

This page is rendered from the catalogue in package ` + "`api`" + ` (` + "`go test ./api -run TestErrorsPage -update`" + `).

| code | status | meaning | what to do |
|---|---|---|---|
`)
	for _, e := range catalogue {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", e.code, e.status, e.meaning, e.remedy)
	}
	return b.String()
}
