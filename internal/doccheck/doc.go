// Package doccheck holds tests that compare the documents with what they
// describe. It has no code of its own.
package doccheck
