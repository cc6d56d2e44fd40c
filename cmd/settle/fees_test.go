package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testcmd"
)

// TestFeesSet: a minimum fee changes while the API runs, which holds to it at once.
func TestFeesSet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.serve("api")
	r.submit(1)
	for _, args := range [][]string{{"--token", "0", "--min-fee", "4097"}, {"--token", "0", "--min-fee", "1.5"}} {
		require.Contains(t, testcmd.Refuse(t, r.env(), append([]string{"fees", "set"}, args...)...), "--min-fee "+args[3])
	}
	require.Contains(t, testcmd.Refuse(t, r.env(), "fees", "set", "--token", "77", "--min-fee", "5"), "token 77 has no fee account")

	before := r.status().FeeAccounts[0].MinimumFee
	said := string(testcmd.Succeed(t, r.env(), "fees", "set", "--token", "0", "--min-fee", "70000"))
	require.Equal(t, "the smallest fee of token 0 is 70000; it was "+before.String()+"\n", said)
	require.Regexp(t, `TOKEN +ACCOUNT +MINIMUM\n0 +0 +70000\n`, string(testcmd.Succeed(t, r.env(), "fees", "list")))
	require.Equal(t, settle.NewAmount(70000), r.status().FeeAccounts[0].MinimumFee)
	results, err := r.client.SubmitAll(t.Context(), r.sign(1))
	require.NoError(t, err)
	require.Equal(t, settle.CodeFeeTooLow, results.Results[0].Problem.Code)
	require.Equal(t, 1, one[int](r, "select count(*) from transactions where status = 'accepted'"), "what was accepted stays so")
}
