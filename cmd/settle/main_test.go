package main

import (
	"testing"

	"github.com/zksettle/settle/internal/testcmd"
)

func TestMain(m *testing.M) { testcmd.Main(m, main, false) }
