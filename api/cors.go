package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// AnyOrigin lets pages of every origin read replies.
const AnyOrigin Origin = "*"

// Origin is an origin of web pages, scheme://host or scheme://host:port, or AnyOrigin.
type Origin string

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Origin) UnmarshalText(text []byte) error {
	*o = Origin(text)
	if *o == AnyOrigin {
		return nil
	}
	u, err := url.Parse(string(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || string(text) != u.Scheme+"://"+strings.ToLower(u.Host) {
		return fmt.Errorf("origin %q: expected scheme://host or scheme://host:port in small letters, without a path, as browsers send it, or *", text)
	}
	return nil
}

// preflightAge is how long a browser may keep the answer to a preflight, in seconds.
const preflightAge = "600"

// allowOrigins answers preflights and lets pages of the configured origins read
// replies. There are no cookies and no credentials that a page could use unseen.
func (s *Server) allowOrigins(next http.Handler) http.Handler {
	if len(s.cfg.Origins) == 0 {
		return next
	}
	everyone := slices.Contains(s.cfg.Origins, AnyOrigin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin") // also without one: caches must not mix them
		origin := r.Header.Get("Origin")
		if origin == "" || !everyone && !slices.Contains(s.cfg.Origins, Origin(origin)) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After, Allow")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", preflightAge)
		w.WriteHeader(http.StatusNoContent)
	})
}
