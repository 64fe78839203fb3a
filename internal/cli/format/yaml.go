package format

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// otherwise matches plain scalars that are strings to YAML 1.2 and something
// else to YAML 1.1, which many programs read: truths, numbers to the base of
// 60, and two signs with a meaning (yaml.org/type).
var otherwise = regexp.MustCompile(`^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|=|<<|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)$`)

const notText = "its value is not a string; put it in quotes if it is meant as text"

// readYAML reads one mapping of strings.
func readYAML(text []byte) (dotenv.File, error) {
	if !utf8.Valid(text) {
		return dotenv.File{}, &Error{Why: notUTF8}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return dotenv.File{Values: document.Document{}}, nil
	} else if err != nil {
		return dotenv.File{}, notYAML(err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return dotenv.File{}, &Error{Why: "it has more than one document; give one mapping of strings"}
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return dotenv.File{}, &Error{Why: "it is not a mapping of keys to strings"}
	}
	return mapping(root.Content[0].Content)
}

// mapping reads keys and values, which take turns.
func mapping(nodes []*yaml.Node) (dotenv.File, error) {
	file := dotenv.File{Values: document.Document{}}
	first := map[string]int{}
	for i := 0; i+1 < len(nodes); i += 2 {
		key, value := nodes[i], nodes[i+1]
		switch {
		case !isString(key):
			return dotenv.File{}, &Error{Line: key.Line, Why: "a key is not a string; put it in quotes"}
		case first[key.Value] > 0:
			return dotenv.File{}, &dotenv.Error{Kind: dotenv.KindDuplicateKey, Line: key.Line, FirstLine: first[key.Value], Key: key.Value}
		case !isString(value):
			return dotenv.File{}, &Error{Line: value.Line, Key: key.Value, HasKey: true, Why: notText}
		}
		first[key.Value] = key.Line
		file.Values[key.Value] = sensitive.New(value.Value)
		file.Keys = append(file.Keys, key.Value)
	}
	return file, nil
}

// isString reports whether every reader takes a node for a string.
func isString(node *yaml.Node) bool {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
		return false
	}
	// Quoted, or with a tag that says so.
	return node.Style != 0 || !otherwise.MatchString(node.Value)
}

var yamlLine = regexp.MustCompile(`\bline ([0-9]+)\b`)

// notYAML takes nothing but the line from the parser's error, which may quote
// what it read.
func notYAML(err error) error {
	line := 0
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ = strconv.Atoi(found[1])
	}
	return &Error{Line: line, Why: "it is not YAML from about here on"}
}
