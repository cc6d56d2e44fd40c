package command

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/rs/zerolog"
)

func newLogger(level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: %w", level, err)
	}
	return slog.New(newHandler(os.Stderr, l, format)), nil
}

// newHandler writes text for people, or JSON for programs: there a duration is a
// number of seconds under its name with _seconds.
func newHandler(w io.Writer, level slog.Level, format string) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		options.ReplaceAttr = func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindDuration {
				return slog.Float64(a.Key+"_seconds", a.Value.Duration().Seconds())
			}
			return a
		}
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// gnarkLogger forwards gnark's messages from warning level up.
func gnarkLogger(log *slog.Logger) zerolog.Logger {
	return zerolog.New(zerolog.LevelWriterAdapter{Writer: slogWriter{log}}).Level(zerolog.WarnLevel)
}

type slogWriter struct{ log *slog.Logger }

func (w slogWriter) Write(line []byte) (int, error) {
	w.log.Warn("gnark", "message", string(line))
	return len(line), nil
}
