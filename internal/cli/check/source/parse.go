package source

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kubeyaml "sigs.k8s.io/yaml"
)

// Object is a mapping that is a document, or an item of a list that is one.
type Object struct {
	// Value is what kubectl would send: the API server's reading of it.
	Value map[string]any

	node *yaml.Node
	// above is how many lines the file has before the document.
	above int
}

// APIVersion and Kind return "" where there is none.
func (o *Object) APIVersion() string { return text(o.Value, "apiVersion") }

// Kind returns the object's kind.
func (o *Object) Kind() string { return text(o.Value, "kind") }

func text(value map[string]any, key string) string {
	s, _ := value[key].(string)
	return s
}

// BrokenError says from which line on a file cannot be read. It does not hold
// what is there.
type BrokenError struct {
	Line int
	Why  string
}

func (e *BrokenError) Error() string { return e.Why }

// Parse returns the objects of a file of YAML or JSON documents, as far as it
// can be read: err is nil or a *BrokenError.
func Parse(content []byte) (objects []Object, err error) {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	if !bytes.HasSuffix(content, []byte("\n")) {
		content = append(content, '\n')
	}
	// kubectl's own way to part documents.
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	at := 0
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		found := bytes.Index(content[at:], document)
		if err != nil || found < 0 {
			return objects, &BrokenError{Line: lines(content[:at]) + 1, Why: "from about here on, it has no documents that \"---\" parts, on lines of their own"}
		}
		at += found
		parsed, err := parse(document, lines(content[:at]))
		objects = append(objects, parsed...)
		if err != nil {
			return objects, err
		}
		at += len(document)
	}
}

func lines(content []byte) int { return bytes.Count(content, []byte("\n")) }

func parse(document []byte, above int) ([]Object, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	var root yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, &BrokenError{Line: above + lineOf(err), Why: "it is not YAML from about here on"}
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, &BrokenError{Line: above + 1, Why: "a document goes on after its end, where kubectl would not see it: part documents by \"---\""}
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	asJSON, err := kubeyaml.YAMLToJSON(document)
	if err != nil {
		return nil, &BrokenError{Line: above + root.Content[0].Line, Why: "it cannot be read as an object: its aliases expand to too much, or a key is no text"}
	}
	var value any
	if err := utiljson.Unmarshal(asJSON, &value); err != nil {
		return nil, &BrokenError{Line: above + root.Content[0].Line, Why: "it cannot be read as an object"}
	}
	mapping, ok := value.(map[string]any)
	if !ok {
		return nil, nil
	}
	return flatten(Object{Value: mapping, node: root.Content[0], above: above}), nil
}

// flatten returns the items of a list, as kubectl does.
func flatten(o Object) []Object {
	items, isList := o.Value["items"].([]any)
	node := child(o.node, "items")
	if !isList || !strings.HasSuffix(o.Kind(), "List") || node == nil || len(node.Content) != len(items) {
		return []Object{o}
	}
	var objects []Object
	for i, item := range items {
		if value, ok := item.(map[string]any); ok {
			objects = append(objects, flatten(Object{Value: value, node: followed(node.Content[i]), above: o.above})...)
		}
	}
	return objects
}

var yamlLine = regexp.MustCompile(`\bline ([0-9]+)\b`)

// lineOf takes nothing but the line from the parser's error, which may quote
// what it read.
func lineOf(err error) int {
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		if line, err := strconv.Atoi(found[1]); err == nil {
			return line
		}
	}
	return 1
}
