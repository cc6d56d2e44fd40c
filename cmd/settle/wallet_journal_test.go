package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/testcmd"
)

// fate is what becomes of a submission on its way.
type fate int

const (
	passes  fate = iota
	dropped      // closed before the API has it
	lost         // stored, and its answer is lost
	hangs        // stored, and its answer never comes
	garbled      // stored, and something on the way answers in the API's place
)

// lossyAPI stands before an API. While fate is not passes it loses look-ups of
// transactions too.
type lossyAPI struct {
	*httptest.Server
	seen chan struct{} // one for each submission that the API has answered

	mu    sync.Mutex
	fate  fate
	sees  bool // look-ups pass all the same
	posts []string
}

func newLossyAPI(t *testing.T, upstream string) *lossyAPI {
	t.Helper()
	target, err := url.Parse(upstream)
	require.NoError(t, err)
	p := &lossyAPI{seen: make(chan struct{}, 100)}
	forward := httputil.NewSingleHostReverseProxy(target)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		fate, sees := p.fate, p.sees
		p.mu.Unlock()
		lookUp := strings.HasPrefix(r.URL.Path, "/v1/transactions/")
		if r.Method == http.MethodPost {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			p.mu.Lock()
			p.posts = append(p.posts, string(body))
			p.mu.Unlock()
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		if fate == passes || r.Method == http.MethodGet && (!lookUp || sees) {
			forward.ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodPost && fate != dropped {
			forward.ServeHTTP(httptest.NewRecorder(), r)
			p.seen <- struct{}{}
		}
		switch fate {
		case hangs:
			<-r.Context().Done()
		case garbled:
			http.Error(w, "blocked", http.StatusForbidden)
			return
		}
		panic(http.ErrAbortHandler) // closes the connection
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *lossyAPI) set(f fate, sees bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fate, p.sees, p.posts = f, sees, nil
}

func (p *lossyAPI) submissions() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.posts)
}

// walletArgs are the arguments of a wallet command that signs with an account's key.
func (r *rig) walletArgs(api, command string, account int, more ...string) []string {
	key := filepath.Join(r.files, "account-"+strconv.Itoa(account)+".json")
	return append([]string{"wallet", command, "--api", api, "--rollup", r.deployment.Rollup.String(),
		"--chain-id", strconv.FormatUint(r.deployment.ChainID, 10), "--key", key}, more...)
}

func (r *rig) receipt(args []string) (receipt wire.Receipt) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal(testcmd.Succeed(r.t, r.env(), args...), &receipt))
	return receipt
}

func (r *rig) pending(account settle.AccountIndex) int {
	r.t.Helper()
	a, err := r.client.Account(r.t.Context(), account)
	require.NoError(r.t, err)
	return a.Pending
}

// TestLostAnswerPaysOnce: whatever becomes of the answer, the same command sends the
// same bytes until it is answered, and only then means another payment.
func TestLostAnswerPaysOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.serve("api") // nothing is executed: what is stored stays pending
	proxy := newLossyAPI(t, r.url)
	to := r.genesis.Accounts[0]
	receiver := []string{"--to-owner", to.Owner.Element().String(), "--to-l1", to.L1.String()}
	fresh := []string{"--to-owner", to.Owner.Element().String(), "--to-l1", "0x00000000000000000000000000000000000000ee"}
	for _, c := range []struct {
		account int
		command []string
		fate    fate
	}{
		{1, slices.Concat([]string{"send"}, receiver, []string{"--amount", "5000"}), lost},
		{1, slices.Concat([]string{"send"}, receiver, []string{"--amount", "6000"}), dropped},
		{1, slices.Concat([]string{"open"}, fresh, []string{"--amount", "5000"}), garbled},
		{2, []string{"exit", "--amount", "5000"}, lost},
		{3, []string{"exit-all"}, lost},
	} {
		args := r.walletArgs(proxy.URL, c.command[0], c.account, c.command[1:]...)
		journal := filepath.Join(r.files, "account-"+strconv.Itoa(c.account)+".json.journal")
		before := r.pending(settle.AccountIndex(c.account))

		proxy.set(c.fate, false)
		said := testcmd.Refuse(t, r.env(), args...)
		require.Contains(t, said, "may be stored")
		require.Contains(t, said, "run the same command again")
		entries := readJournal(t, journal)
		require.Len(t, entries, 1)
		id := entries[0].ID
		require.Regexp(t, `msg=sending id=`+id.String()+`(.|\n)*transaction `+id.String()+` may be stored`, said)
		info, err := os.Stat(journal)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		require.Contains(t, testcmd.Refuse(t, r.env(), args...), id.String(), "still lost")
		require.Contains(t, testcmd.Refuse(t, r.env(), append(args, "--nonce", "99")...), "is unanswered")
		sent := proxy.submissions()
		require.Len(t, sent, 2)
		require.Equal(t, sent[0], sent[1], "the same bytes")

		proxy.set(passes, false)
		receipt := r.receipt(args)
		require.Equal(t, id, receipt.ID)
		require.Equal(t, c.fate != dropped, receipt.Existing)
		require.Equal(t, before+1, r.pending(settle.AccountIndex(c.account)), "paid once: %v", c.command)
		require.Empty(t, readJournal(t, journal))
	}

	pay := r.walletArgs(proxy.URL, "send", 1, slices.Concat(receiver, []string{"--amount", "5000"})...)
	before := r.pending(1)
	second := r.receipt(pay)
	require.False(t, second.Existing, "the first is answered: this is another payment")
	require.Equal(t, before+1, r.pending(1))

	// The same nonce is the same payment without any journal.
	tx, err := r.client.Transaction(t.Context(), second.ID)
	require.NoError(t, err)
	same := r.receipt(append(pay, "--nonce", strconv.FormatUint(uint64(tx.Nonce), 10), "--journal", filepath.Join(testcmd.NewDir(t), "other")))
	require.Equal(t, second.ID, same.ID)
	require.True(t, same.Existing)

	// A lost answer is looked up at once where the API can be asked.
	proxy.set(lost, true)
	require.True(t, r.receipt(pay).Existing)
	require.Equal(t, before+2, r.pending(1))

	// A command that is killed has kept what it was sending.
	proxy.set(hangs, false)
	for len(proxy.seen) > 0 {
		<-proxy.seen
	}
	killed := testcmd.Launch(t, r.env(), pay...)
	select {
	case <-proxy.seen:
	case <-killed.Ended:
		require.FailNow(t, killed.Stderr())
	}
	killed.Kill()
	require.Equal(t, before+3, r.pending(1))
	proxy.set(passes, false)
	require.True(t, r.receipt(pay).Existing)
	require.Equal(t, before+3, r.pending(1))

	// Another payment although the first is unanswered has to be asked for.
	proxy.set(dropped, false)
	testcmd.Refuse(t, r.env(), pay...)
	proxy.set(passes, false)
	require.False(t, r.receipt(append(pay, "--again")).Existing)
	require.Equal(t, before+5, r.pending(1), "the unanswered one, and another")

	// What the API refuses is forgotten: it is not stored.
	require.Contains(t, testcmd.Refuse(t, r.env(), append(pay, "--nonce", "1")...), string(settle.CodeNonceConflict))
	require.Empty(t, readJournal(t, filepath.Join(r.files, "account-1.json.journal")))
}

func readJournal(t *testing.T, path string) []sentEntry {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	var file journalFile
	require.NoError(t, json.Unmarshal(b, &file))
	return file.Entries
}

// TestJournalIsOneProcessAtATime: a second process waits, and reads what the first wrote.
func TestJournalIsOneProcessAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "j")
	first, err := openJournal(t.Context(), path)
	require.NoError(t, err)
	type opened struct {
		*sendJournal
		error
	}
	second := make(chan opened, 1)
	go func() {
		j, err := openJournal(t.Context(), path)
		second <- opened{j, err}
	}()
	e := sentEntry{sentOrder: sentOrder{Order: orderText{Kind: "transfer", Amount: settle.NewAmount(1)}}}
	e.ID = settle.Hash{1}
	require.NoError(t, first.add(e))
	require.Empty(t, second, "the first has it")
	require.NoError(t, first.close())
	got := <-second
	require.NoError(t, got.error)
	require.Len(t, got.unanswered(e.sentOrder), 1)
	require.NoError(t, got.remove(e))
	require.NoError(t, got.close())
	left, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Equal(t, []string{path, path + ".lock"}, left, "no temporary files")

	require.NoError(t, os.WriteFile(path, []byte("{\"version\":1,"), 0o600))
	_, err = openJournal(t.Context(), path)
	require.ErrorContains(t, err, "restore a copy")
	_, err = openJournal(t.Context(), filepath.Join(t.TempDir(), "none", "j"))
	require.ErrorContains(t, err, "--journal")
}
