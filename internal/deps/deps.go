//go:build tools

package deps

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/consensys/gnark-crypto/ecc/bn254"
	_ "github.com/consensys/gnark/frontend"
	_ "github.com/danielgtaylor/huma/v2"
	_ "github.com/ethereum/go-ethereum/ethclient"
	_ "github.com/gofrs/flock"
	_ "github.com/jackc/pgx/v5"
	_ "github.com/jackc/tern/v2/migrate"
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/prometheus/client_golang/prometheus"
	_ "github.com/riverqueue/river"
	_ "github.com/riverqueue/river/riverdriver/riverpgxv5"
	_ "github.com/riverqueue/river/rivermigrate"
	_ "github.com/schollz/progressbar/v3"
	_ "github.com/stretchr/testify/require"
	_ "pgregory.net/rapid"
)
