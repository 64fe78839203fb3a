// Package keys names the outputs of a stack, and the resources in it.
package keys

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// Keys of the stack's outputs, which "sr init --stack-name" and the command
// helm-values read.
const (
	Prefix = "SecretPrefix"
	KmsKey = "KmsKeyArn"
	Region = "Region"
	// Role is the role of the only cluster, or of the first; each of several has
	// one of its own as well, RoleOf.
	Role = "ControllerRoleArn"
	// Topic is there with Detection alone.
	Topic = "TopicArn"
)

// RoleOf is the key of the role of one of several clusters.
func RoleOf(clusters []string, cluster string) string { return Role + Distinct(clusters, cluster) }

// Secret is the key of the ARN of a live secret, where no other environment would
// get the same one.
func Secret(project, environment string) string {
	return "SecretArn" + Camel(project) + Camel(environment)
}

// Camel makes a part of a logical ID, which has letters and digits only: each
// word begins with a capital.
func Camel(name string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_.:/=+@", r) }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// Distinct is Camel, and more where another of some names would get the same.
func Distinct(names []string, name string) string {
	for _, other := range names {
		if other != name && Camel(other) == Camel(name) {
			return Camel(name) + Short(name)
		}
	}
	return Camel(name)
}

// LogicalID is unique for names that differ only in what Camel leaves out, and
// must never change: CloudFormation would make the resource anew.
func LogicalID(kind, project, environment string) string {
	return kind + Camel(project) + Camel(environment) + Short(project, environment)
}

// Short stands for names, none of which has a slash.
func Short(names ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(names, "/")))
	return fmt.Sprintf("%X", sum[:4])
}
