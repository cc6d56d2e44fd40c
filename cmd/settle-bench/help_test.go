package main

import (
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
)

func model(t *testing.T) *kong.Application {
	t.Helper()
	var c cli
	parser, err := program().Parser(&c)
	require.NoError(t, err)
	return parser.Model
}

// TestDocumentedCommands: every settle-bench command that a page names exists.
func TestDocumentedCommands(t *testing.T) {
	testcmd.RequireDocumented(t, filepath.Join("..", ".."), model(t), nil)
}

// TestHelpIsReadable: each text is understood alone.
func TestHelpIsReadable(t *testing.T) { testcmd.RequireReadableHelp(t, model(t)) }
