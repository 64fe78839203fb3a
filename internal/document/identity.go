package document

import "github.com/secretreview/secretreview/internal/naming"

// Identity names the change that something staged belongs to.
type Identity struct{ Cluster, Namespace, Project, Environment, Change string }

// IdentityOf returns the identity that a staged secret's tags name.
func IdentityOf(tags naming.StagedTags) Identity {
	return Identity{
		Cluster: tags.Cluster, Namespace: tags.Namespace, Project: tags.Project,
		Environment: tags.Environment, Change: tags.Change,
	}
}

// Belongs reports whether i is the wanted identity, or else returns a
// *ForeignError with the first field that differs. The tags and the document
// of a staged secret must both pass before anything is done with it.
func (i Identity) Belongs(want Identity) error {
	wanted := want.fields()
	for n, f := range i.fields() {
		if f.value != wanted[n].value {
			return &ForeignError{Field: f.name}
		}
	}
	return nil
}

type identityField struct{ name, value string }

func (i Identity) fields() []identityField {
	return []identityField{
		{"cluster", i.Cluster},
		{"namespace", i.Namespace},
		{"project", i.Project},
		{"environment", i.Environment},
		{"change", i.Change},
	}
}
