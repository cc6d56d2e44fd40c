package api_test

import (
	"bufio"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// FuzzReads sends request lines to the handler, over a store in memory. Parameters that
// a second, plain reading takes are taken, and what the store is asked for is what that
// reading says; all others are refused.
func FuzzReads(f *testing.F) {
	d := newDesk(f)
	pair := "owner=" + d.wallets[alice].Address().Owner.String() + "&l1=" + d.wallets[alice].Address().L1.String()
	id := "0x00" + strings.Repeat("aB", 31)
	for _, target := range []string{
		"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/status", "/v1/status?x=1", "/v1/nothing", "/v1/transactions/", "//v1/status", "/v1/../v1/status", "*", "http://other/v1/status",
		"/v1/transactions", "/v1/transactions?ids=" + id, "/v1/transactions?ids=" + id + "," + id + ",0x" + strings.Repeat("ff", 32), "/v1/transactions?ids=" + id + ",", "/v1/transactions?ids=" + strings.Repeat(id+",", 100) + id,
		"/v1/transactions/" + id, "/v1/transactions/0x" + strings.Repeat("ff", 32), "/v1/transactions/0x12", "/v1/transactions/%30x" + id[2:],
		"/v1/accounts/2", "/v1/accounts/8", "/v1/accounts/007", "/v1/accounts/4294967296", "/v1/accounts/+2", "/v1/accounts/2?batch=1", "/v1/accounts/2?batch=4", "/v1/accounts/2?batch=", "/v1/accounts/2?batch",
		"/v1/accounts/2/proof", "/v1/accounts/2/proof?batch=0", "/v1/accounts/8/proof", "/v1/accounts/2/", "/v1/accounts/%32", "/v1/accounts/2%2Fproof",
		"/v1/accounts", "/v1/accounts?" + pair, "/v1/accounts?" + pair + "&after=2&limit=1", "/v1/accounts?" + pair + "&limit=201", "/v1/accounts?limit=1;after=2",
		"/v1/accounts?" + pair + "&limit=1&limit=2", "/v1/accounts?" + pair + "&limit=%zz", "/v1/accounts?" + pair + "&%61fter=2",
		"/v1/batches", "/v1/batches?before=3&limit=2", "/v1/batches?before=0", "/v1/batches/1", "/v1/batches/0", "/v1/batches/9", "/v1/batches/1/exits", "/v1/batches/0/exits", "/v1/batches/x/exits",
		"/v1/exits", "/v1/exits?" + pair[strings.Index(pair, "l1="):] + "&after=1&limit=2", "/v1/exits?l1=0x12",
	} {
		f.Add(http.MethodGet, target)
	}
	for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodPut, http.MethodOptions, http.MethodConnect, "get", "X"} {
		f.Add(method, "/v1/status")
		f.Add(method, "/v1/transactions")
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		if strings.ContainsAny(method+target, "\r\n") {
			return // more than a request line
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: api\r\n\r\n")))
		if err != nil {
			return // the server answers before us
		}
		d.shelf.reset()
		out := d.answer(t, r.WithContext(t.Context()))
		require.Empty(t, d.shelf.admitted)
		switch {
		case out.status >= 300 && out.status < 400:
			require.NotEmpty(t, out.header.Get("Location"), "a path with dots or doubled slashes is led to its clean form")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			require.GreaterOrEqual(t, out.status, 400)
		default:
			asked, known, good := readTarget(r.URL)
			switch {
			case !known:
				require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, out.status)
			case !good:
				require.Equal(t, http.StatusBadRequest, out.status, "%s", out.body)
				require.Contains(t, []settle.Code{settle.CodeInvalidField, settle.CodeUnknownField}, out.problem.Code)
				require.Empty(t, d.shelf.asked, "asked before everything was read")
			default:
				require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, out.status, "%s", out.body)
				both := min(len(asked), len(d.shelf.asked)) // the batch or account may not be there
				require.Equal(t, strings.Join(asked[:both], ", "), strings.Join(d.shelf.asked[:both], ", "))
				require.Equal(t, len(asked) > 0, both > 0)
			}
		}
	})
}

// readTarget is the second reading: what the store is asked first, whether there is
// such a route, and whether its parameters are good.
func readTarget(u *url.URL) (asked []string, known, good bool) {
	segments := strings.Split(u.EscapedPath(), "/")[1:]
	for i, s := range segments {
		var err error
		if segments[i], err = url.PathUnescape(s); err != nil {
			return nil, false, false
		}
	}
	q := &plainQuery{values: map[string]string{}, good: true}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, valued := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		_, twice := q.values[name]
		q.good = q.good && valued && !twice && errName == nil && errValue == nil && !strings.Contains(pair, ";")
		q.values[name] = value
	}
	argument := ""
	if len(segments) >= 3 && segments[2] != "" {
		argument, segments[2] = segments[2], "{}"
	}
	switch strings.Join(segments, "/") {
	case "v1/status":
		q.only()
	case "openapi.json":
		return nil, true, true // whatever is behind the question mark
	case "v1/transactions":
		q.only("ids")
		ids := strings.Split(q.values["ids"], ",")
		q.good = q.good && len(ids) <= 100
		for _, id := range ids {
			if one := "Transaction " + q.hex(id, 32); !slices.Contains(asked, one) {
				asked = append(asked, one)
			}
		}
	case "v1/transactions/{}":
		q.only()
		asked = append(asked, "Transaction "+q.hex(argument, 32))
	case "v1/accounts/{}":
		q.only("batch")
		asked = append(asked, "Account "+q.number(argument))
		if at := q.values["batch"]; at != "" {
			asked = []string{"Point " + q.number(at), "AccountAt " + q.number(argument) + " " + q.number(at)}
		}
	case "v1/accounts/{}/proof":
		q.only("batch")
		at := fmt.Sprint(lastPoint)
		if q.values["batch"] != "" {
			at = q.number(q.values["batch"])
		}
		asked = append(asked, "Point "+at, "AccountAt "+q.number(argument)+" "+at)
	case "v1/accounts":
		q.only("owner", "l1", "after", "limit")
		owner, l1 := q.hex(q.values["owner"], 32), q.hex(q.values["l1"], 20)
		after := "-1"
		if q.values["after"] != "" {
			after = q.number(q.values["after"])
		}
		asked = append(asked, fmt.Sprintf("AccountsByOwner %s %s %s %s", owner, l1, after, q.limit()))
	case "v1/batches/{}":
		q.only()
		asked = append(asked, "Batch "+q.number(argument))
	case "v1/batches/{}/exits":
		q.only()
		asked = append(asked, "Point "+q.number(argument))
	case "v1/batches":
		q.only("before", "limit")
		before := "0"
		if q.values["before"] != "" {
			before = q.number(q.values["before"])
			q.good = q.good && before != "0"
		}
		asked = append(asked, "Batches "+before+" "+q.limit())
	case "v1/exits":
		q.only("l1", "after", "limit")
		after := "0"
		if q.values["after"] != "" {
			after = q.number(q.values["after"])
		}
		asked = append(asked, fmt.Sprintf("ExitBatches %s %s %s", q.hex(q.values["l1"], 20), after, q.limit()))
	default:
		return nil, false, false
	}
	return asked, true, q.good
}

type plainQuery struct {
	values map[string]string
	good   bool
}

func (q *plainQuery) only(names ...string) {
	for name := range q.values {
		q.good = q.good && slices.Contains(names, name)
	}
}

func (q *plainQuery) number(s string) string {
	v, ok := new(big.Int).SetString(s, 10)
	if !ok || !regexp.MustCompile(`^[0-9]+$`).MatchString(s) || v.BitLen() > 32 {
		q.good = false
		return ""
	}
	return v.String()
}

func (q *plainQuery) limit() string {
	s := q.values["limit"]
	if s == "" {
		return "50"
	}
	n := q.number(s)
	if v, _ := new(big.Int).SetString(n, 10); v == nil || v.Sign() == 0 || v.Cmp(big.NewInt(200)) > 0 {
		q.good = false
	}
	return n
}

func (q *plainQuery) hex(s string, size int) string {
	q.good = q.good && len(s) == 2+2*size && regexp.MustCompile(`^0x[0-9a-fA-F]*$`).MatchString(s)
	return strings.ToLower(s)
}
