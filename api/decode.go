package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// splitBody returns the items of a body: one object, or an array's elements.
// The body as a whole must be valid JSON; what each item is, is checked later.
func splitBody(body []byte) (items []json.RawMessage, array bool, err error) {
	if err := checkJSON(body); err != nil {
		return nil, false, err
	}
	body = bytes.TrimSpace(body)
	switch body[0] {
	case '{':
		return []json.RawMessage{body}, false, nil
	case '[':
	default:
		return nil, false, settle.Refuse(settle.CodeMalformedJSON, "the body is %s, expected a transaction object or an array of them", jsonKind(body))
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		return nil, true, malformed(err)
	}
	items = []json.RawMessage{}
	for dec.More() {
		if len(items) == settle.MaxSubmitItems {
			return nil, true, settle.Refuse(settle.CodeTooManyItems, "the array has more than %d items, expected at most %d per request", settle.MaxSubmitItems, settle.MaxSubmitItems)
		}
		var item json.RawMessage
		if err := dec.Decode(&item); err != nil {
			return nil, true, malformed(err)
		}
		items = append(items, item)
	}
	return items, true, nil
}

// checkJSON accepts exactly one JSON value.
func checkJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return settle.Refuse(settle.CodeMalformedJSON, "the body is empty, expected a transaction object or an array of them")
	}
	if json.Valid(body) {
		return nil
	}
	var v json.RawMessage
	err := json.Unmarshal(body, &v)
	return malformed(err)
}

func malformed(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return settle.Refuse(settle.CodeMalformedJSON, "the body is not valid JSON at byte %d: %s; expected a transaction object or an array of them", syntax.Offset, syntax.Error())
	}
	return settle.Refuse(settle.CodeMalformedJSON, "the body is not valid JSON: %v; expected a transaction object or an array of them", err)
}

// jsonKind names what a valid JSON value is, for people.
func jsonKind(raw []byte) string {
	switch raw = bytes.TrimSpace(raw); {
	case len(raw) == 0:
		return "nothing"
	case raw[0] == '{':
		return "an object"
	case raw[0] == '[':
		return "an array"
	case raw[0] == '"':
		return "a string"
	case raw[0] == 't', raw[0] == 'f':
		return "a boolean"
	case raw[0] == 'n':
		return "null"
	}
	return "a number"
}

// field reads one member of an item into a transaction. A *laterError is about a
// value that could be read; any other error is about the member itself.
type field struct {
	name     string
	required bool // whatever the kind: what it fixes at 0 is signed and stated as well
	read     func(*state.Transaction, json.RawMessage) error
}

// laterError is a refusal by package admission of a value that could be read. It comes
// after whatever cannot be read, after the kind and the nonce.
type laterError struct{ refusal error }

// Error implements error.
func (e *laterError) Error() string { return e.refusal.Error() }

func later(err error) error {
	if err == nil {
		return nil
	}
	return &laterError{err}
}

func transactionFields() []field {
	return []field{
		{"kind", true, func(tx *state.Transaction, raw json.RawMessage) error { return readKind(raw, &tx.Kind) }},
		{"from", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readNumber(raw, settle.IndexBits, "an account index", &tx.From)
		}},
		{"to", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readNumber(raw, settle.IndexBits, "an account index", &tx.To)
		}},
		{"token", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readNumber(raw, settle.TokenBits, "a token", &tx.Token)
		}},
		{"amount", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readFloat(raw, largestAmount, state.NewFloat40, &tx.Amount)
		}},
		{"fee", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readFloat(raw, largestFee, state.NewFloat16, &tx.Fee)
		}},
		{"nonce", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readNumber(raw, settle.NonceBits, "a nonce", &tx.Nonce)
		}},
		{"valid_until", false, func(tx *state.Transaction, raw json.RawMessage) error {
			return readNumber(raw, settle.BatchBits, "a batch number, 0 for no limit", &tx.ValidUntil)
		}},
		{"to_owner", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readElement(raw, "receiver's owner", &tx.ToOwner)
		}},
		{"to_l1", true, func(tx *state.Transaction, raw json.RawMessage) error { return readText(raw, 20, &tx.ToL1) }},
		{"public_key", true, func(tx *state.Transaction, raw json.RawMessage) error {
			return readElement(raw, "public key", &tx.PublicKey)
		}},
		{"signature", true, func(tx *state.Transaction, raw json.RawMessage) error { return readSignature(raw, &tx.Signature) }},
	}
}

// decodeTransaction reads one item strictly: names as they are, none unknown,
// missing or twice. Every error is a *settle.Refusal that names the field, or says why
// what was read is no transaction of one of the kinds.
func decodeTransaction(fields []field, kinds []settle.Kind, raw json.RawMessage) (state.Transaction, error) {
	var tx state.Transaction
	members, err := objectMembers(fields, raw)
	if err != nil {
		return tx, err
	}
	var unfit *laterError // the first
	for _, f := range fields {
		value, present := members[f.name]
		if !present {
			if f.required {
				return tx, settle.Refuse(settle.CodeInvalidField, "field %q is missing", f.name)
			}
			continue
		}
		err := f.read(&tx, value)
		var found *laterError
		switch refusal, refused := settle.AsRefusal(err); {
		case err == nil:
		case errors.As(err, &found):
			if unfit == nil {
				unfit = found
			}
		case refused:
			return tx, settle.Refuse(refusal.Code, "field %q %s", f.name, refusal.Detail)
		default:
			return tx, settle.Refuse(settle.CodeInvalidField, "field %q %v", f.name, err)
		}
	}
	if err := admission.CheckForm(kinds, &tx); err != nil {
		return tx, err
	}
	if unfit != nil {
		return tx, unfit.refusal
	}
	return tx, nil
}

func objectMembers(fields []field, raw json.RawMessage) (map[string]json.RawMessage, error) {
	if kind := jsonKind(raw); kind != "an object" {
		return nil, settle.Refuse(settle.CodeMalformedJSON, "the item is %s, expected a transaction object", kind)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return nil, malformed(err)
	}
	members := make(map[string]json.RawMessage, len(fields))
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, malformed(err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, malformed(io.ErrUnexpectedEOF)
		}
		if !hasField(fields, name) {
			return nil, settle.Refuse(settle.CodeUnknownField, "field %s does not exist, expected only %s", quote(name), fieldNames(fields))
		}
		if _, twice := members[name]; twice {
			return nil, settle.Refuse(settle.CodeMalformedJSON, "field %q appears twice, expected once", name)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, malformed(err)
		}
		members[name] = value
	}
	return members, nil
}

func hasField(fields []field, name string) bool {
	for _, f := range fields {
		if f.name == name {
			return true
		}
	}
	return false
}

func fieldNames(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// quote shows what a client sent, cut short.
func quote(s string) string {
	const longest = 80
	if len(s) > longest {
		return strconv.QuoteToASCII(strings.ToValidUTF8(s[:longest], "?")) + "…"
	}
	return strconv.QuoteToASCII(s)
}

func readString(raw json.RawMessage, expected string) (string, error) {
	if jsonKind(raw) != "a string" {
		return "", fmt.Errorf("is %s, expected %s", jsonKind(raw), expected)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("is not a readable string, expected %s", expected)
	}
	return s, nil
}

func readKind(raw json.RawMessage, into *settle.Kind) error {
	const expected = `"transfer", "open", "exit" or "exit-all"`
	s, err := readString(raw, expected)
	if err != nil {
		return err
	}
	if *into, err = settle.ParseKind(s); err != nil {
		return fmt.Errorf("is %s, expected %s", quote(s), expected)
	}
	return nil
}

func readNumber[T ~uint32 | ~uint64](raw json.RawMessage, bits uint, what string, into *T) error {
	largest := uint64(1)<<bits - 1
	text := string(bytes.TrimSpace(raw))
	// ParseUint takes neither sign, fraction nor exponent, and no quotes; JSON has no leading zeros.
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil || v > largest {
		return fmt.Errorf("is %s, expected %s: a JSON integer from 0 to %d", quote(text), what, largest)
	}
	*into = T(v)
	return nil
}

func readAmount(raw json.RawMessage, largest string, into *settle.Amount) error {
	const expected = "a decimal string of whole smallest units"
	s, err := readString(raw, expected)
	if err != nil {
		return err
	}
	digits := strings.TrimLeft(s, "0123456789") == ""
	switch {
	case s == "":
		return fmt.Errorf("is an empty string, expected %s", expected)
	case !digits && strings.Trim(s, "0123456789+-.eE") == "":
		return settle.Refuse(settle.CodeAmountEncoding, "is %s, expected %s without sign, point or exponent", quote(s), expected)
	case !digits:
		return fmt.Errorf("is %s, expected %s", quote(s), expected)
	case len(s) > 1 && s[0] == '0':
		return settle.Refuse(settle.CodeAmountEncoding, "is %s, expected %s without leading zeros", quote(s), expected)
	}
	if *into, err = settle.ParseAmount(s); err != nil {
		return settle.Refuse(settle.CodeAmountUnfit, "is %s, which is not below 2^128; the nearest one below is the largest that fits, %s", quote(s), largest)
	}
	return nil
}

// The largest amount below 2^128 that a 40-bit float holds, and the largest 16-bit float.
const (
	largestAmount = "340282366920000000000000000000000000000"
	largestFee    = "20470000000000000000000000000000000"
)

func readText(raw json.RawMessage, size int, into interface{ UnmarshalText([]byte) error }) error {
	expected := fmt.Sprintf("0x and %d hexadecimal digits", 2*size)
	s, err := readString(raw, expected)
	if err != nil {
		return err
	}
	if err := into.UnmarshalText([]byte(s)); err != nil {
		return fmt.Errorf("is %s, expected %s", quote(s), expected)
	}
	return nil
}

// readFloat reads an amount into its short form.
func readFloat[T any](raw json.RawMessage, largest string, encode func(settle.Amount) (T, error), into *T) error {
	var exact settle.Amount
	if err := readAmount(raw, largest, &exact); err != nil {
		return err
	}
	short, err := encode(exact)
	*into = short
	return later(err)
}

func readElement(raw json.RawMessage, what string, into *fr.Element) error {
	var encoded settle.Element
	if err := readText(raw, len(encoded), &encoded); err != nil {
		return err
	}
	x, err := admission.Element(encoded, what)
	*into = x
	return later(err)
}

func readSignature(raw json.RawMessage, into *schnorr.Signature) error {
	const expected = "0x and 128 hexadecimal digits"
	s, err := readString(raw, expected)
	if err != nil {
		return err
	}
	var signature wire.Signature
	if err := signature.UnmarshalText([]byte(s)); err != nil {
		return settle.Refuse(settle.CodeSignatureEncoding, "is %s, expected %s", quote(s), expected)
	}
	*into, err = admission.Signature(signature[:])
	return later(err)
}
