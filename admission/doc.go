// Package admission decides which transactions are taken. Its decisions are functions
// of the transaction and of what the caller has read: no clock, no database, no lock.
//
// They are made in three steps, the cheap ones first:
//   - CheckForm: what the transaction says by itself (kind, nonce, short forms).
//   - Check: form, parties, fee, expiry and, last, the signature. Needs accounts and Rules.
//   - Book.Decide: nonce window, conflicts and balance. Needs the senders locked, as
//     package store does it, because what one transaction takes the next one lacks.
//
// Whatever is refused is a *settle.Refusal with a stable code (docs/errors.md).
package admission
