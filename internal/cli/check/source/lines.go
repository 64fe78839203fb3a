package source

import (
	"fmt"
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// followed is what an alias stands for, or the node itself.
func followed(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// child returns what a mapping has under a key, or nil.
func child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return followed(mapping.Content[i+1])
		}
	}
	return nil
}

// Line returns the line in the file of a field such as spec.reviews[0].comment
// or, where it is not there, of the nearest that holds it.
func (o *Object) Line(path string) int {
	node, line := o.node, o.node.Line
	for path != "" {
		next, at, rest := step(node, path)
		if next == nil {
			break
		}
		node, line, path = next, at, rest
	}
	return o.above + line
}

// step goes one step of a path down. A key may have dots and brackets itself, so
// the longest one that fits counts.
func step(node *yaml.Node, path string) (next *yaml.Node, line int, rest string) {
	if node == nil {
		return nil, 0, ""
	}
	if node.Kind == yaml.SequenceNode {
		for i, item := range node.Content {
			if after, ok := strings.CutPrefix(path, fmt.Sprintf("[%d]", i)); ok {
				return followed(item), item.Line, strings.TrimPrefix(after, ".")
			}
		}
	}
	if node.Kind != yaml.MappingNode {
		return nil, 0, ""
	}
	longest := -1
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		for _, written := range []string{key.Value, "[" + key.Value + "]"} {
			after, ok := strings.CutPrefix(path, written)
			if ok && len(written) > longest && (after == "" || after[0] == '.' || after[0] == '[') {
				longest, next, line, rest = len(written), followed(node.Content[i+1]), key.Line, strings.TrimPrefix(after, ".")
			}
		}
	}
	return next, line, rest
}

// Scalar is a text or number in an object.
type Scalar struct {
	Path string
	Line int
	Text string
}

// Scalars are all scalars of an object, keys left out. What an alias stands for
// comes once, where it stands itself.
func (o *Object) Scalars() iter.Seq[Scalar] {
	return func(yield func(Scalar) bool) { o.scalars(o.node, "", yield) }
}

func (o *Object) scalars(node *yaml.Node, path string, yield func(Scalar) bool) bool {
	switch node.Kind {
	case yaml.ScalarNode:
		return yield(Scalar{Path: path, Line: o.above + node.Line, Text: node.Value})
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !o.scalars(node.Content[i+1], join(path, node.Content[i].Value), yield) {
				return false
			}
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			if !o.scalars(item, fmt.Sprintf("%s[%d]", path, i), yield) {
				return false
			}
		}
	default: // An alias, whose node is looked at where it stands.
	}
	return true
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Duplicate is a key that stands twice in one mapping, of which YAML's readers
// take one or the other.
type Duplicate struct {
	Path        string
	Line, First int
}

// Duplicates are an object's.
func (o *Object) Duplicates() []Duplicate { return o.duplicates(o.node, "") }

func (o *Object) duplicates(node *yaml.Node, path string) []Duplicate {
	var found []Duplicate
	first := map[string]int{}
	for i, below := range node.Content {
		at := path
		switch {
		case node.Kind == yaml.SequenceNode:
			at = fmt.Sprintf("%s[%d]", path, i)
		case node.Kind == yaml.MappingNode && i%2 == 0:
			key := join(path, below.Value)
			if first[key] > 0 {
				found = append(found, Duplicate{Path: key, Line: o.above + below.Line, First: first[key]})
			}
			first[key] = o.above + below.Line
			continue
		case node.Kind == yaml.MappingNode:
			at = join(path, node.Content[i-1].Value)
		}
		found = append(found, o.duplicates(below, at)...)
	}
	return found
}
