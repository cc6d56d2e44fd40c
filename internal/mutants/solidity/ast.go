package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// node is a node of the compiler's syntax tree, as its JSON has it.
type node map[string]any

func (n node) kind() string { return n.text("nodeType") }

func (n node) text(key string) string {
	s, _ := n[key].(string)
	return s
}

// child is nil when there is none.
func (n node) child(key string) node {
	m, _ := n[key].(map[string]any)
	return m
}

func (n node) children(key string) (all []node) {
	list, _ := n[key].([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// typeOf is the type of an expression, as Solidity writes it.
func (n node) typeOf() string { return n.child("typeDescriptions").text("typeString") }

// at is the node's place in the file, in bytes.
func (n node) at() (from, to int) {
	parts := strings.Split(n.text("src"), ":")
	from, _ = strconv.Atoi(parts[0]) // the compiler's own numbers
	length, _ := strconv.Atoi(parts[1])
	return from, from + length
}

// walk visits a node and what is below it; visit says whether to go on below.
func walk(v any, visit func(node) bool) {
	switch x := v.(type) {
	case node:
		walk(map[string]any(x), visit)
	case map[string]any:
		if _, is := x["nodeType"]; is && !visit(x) {
			return
		}
		for _, key := range keys(x) {
			walk(x[key], visit)
		}
	case []any:
		for _, e := range x {
			walk(e, visit)
		}
	}
}

// trees compiles the contracts of a folder as far as their syntax trees, by file name.
func trees(ctx context.Context, solc, dir string) (map[string]node, map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.sol"))
	if err != nil {
		return nil, nil, fmt.Errorf("trees: %w", err)
	}
	sources, texts := map[string]any{}, map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("trees: %w", err)
		}
		texts[filepath.Base(file)] = string(data)
		sources[filepath.Base(file)] = map[string]string{"content": string(data)}
	}
	input, err := json.Marshal(map[string]any{"language": "Solidity", "sources": sources, "settings": map[string]any{
		"outputSelection": map[string]any{"*": map[string]any{"": []string{"ast"}}},
	}})
	if err != nil {
		return nil, nil, fmt.Errorf("trees: %w", err)
	}
	command := exec.CommandContext(ctx, solc, "--standard-json")
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("trees: %w (run make tools)", err)
	}
	var answer struct {
		Errors []struct {
			Severity string `json:"severity"`
			Message  string `json:"formattedMessage"`
		} `json:"errors"`
		Sources map[string]struct {
			AST node `json:"ast"`
		} `json:"sources"`
	}
	if err := json.Unmarshal(output, &answer); err != nil {
		return nil, nil, fmt.Errorf("trees: %w", err)
	}
	for _, e := range answer.Errors {
		if e.Severity == "error" {
			return nil, nil, errors.New(e.Message)
		}
	}
	all := map[string]node{}
	for file, s := range answer.Sources {
		all[file] = s.AST
	}
	return all, texts, nil
}
