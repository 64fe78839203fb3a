package emulator

import (
	"slices"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore"
)

const (
	labelCurrent  = secretstore.LabelCurrent
	labelPrevious = secretstore.LabelPrevious
	labelPending  = secretstore.LabelPending
)

// maxVersions is about what the service keeps; prunableAfter is the age below
// which it never removes one.
const (
	maxVersions   = 100
	prunableAfter = 24 * time.Hour
)

func (v *version) add(label string) {
	if !slices.Contains(v.labels, label) {
		v.labels = append(v.labels, label)
		slices.Sort(v.labels)
	}
}

func (v *version) remove(label string) {
	v.labels = slices.DeleteFunc(v.labels, func(l string) bool { return l == label })
}

// attach puts a label on a version, off the one that had it. Where AWSCURRENT
// goes, AWSPREVIOUS follows to the version that it left.
func (s *secret) attach(label string, to *version) {
	from := s.holder(label)
	if from == to {
		return
	}
	if from != nil {
		from.remove(label)
	}
	if label == labelCurrent && from != nil {
		if previous := s.holder(labelPrevious); previous != nil {
			previous.remove(labelPrevious)
		}
		from.add(labelPrevious)
	}
	to.add(label)
}

// addVersion appends a version that bears labels; the first one of a secret is
// AWSCURRENT in any case.
func (s *secret) addVersion(v *version, labels []string) error {
	s.prune(v.created)
	if len(s.versions) >= maxVersions {
		return failure("LimitExceededException", "The secret has reached the limit of %d versions, none of which is old enough to be removed.", maxVersions)
	}
	if len(s.versions) == 0 && !slices.Contains(labels, labelCurrent) {
		labels = append(slices.Clone(labels), labelCurrent)
	}
	replaced := s.holder(labelCurrent)
	s.versions = append(s.versions, v)
	for _, label := range labels {
		s.attach(label, v)
	}
	// A new current version ends what was pending on the one it replaces. A
	// mere move of AWSCURRENT was not recorded to do so.
	if replaced != nil && slices.Contains(labels, labelCurrent) {
		replaced.remove(labelPending)
	}
	return s.checkLabels()
}

// move is UpdateSecretVersionStage.
func (s *secret) move(label, from, to string) error {
	for _, id := range []string{from, to} {
		if id != "" && s.version(id) == nil {
			return failure("ResourceNotFoundException", "Secrets Manager can't find the specified secret version: %s", id)
		}
	}
	holder := s.holder(label)
	switch {
	case from == "" && to == "":
		return failure("InvalidParameterException", "You must provide MoveToVersionId, RemoveFromVersionId or both.")
	case from == "" && holder != nil && holder.id != to:
		return failure("InvalidParameterException", "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", label, holder.id)
	case from != "" && (holder == nil || holder.id != from):
		return failure("InvalidParameterException", "The staging label %s isn't attached to version %s.", label, from)
	case to == "" && label == labelCurrent:
		return failure("InvalidParameterException", "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case to == "":
		holder.remove(label)
		return nil
	}
	s.attach(label, s.version(to))
	return s.checkLabels()
}

func (s *secret) checkLabels() error {
	n := 0
	for _, v := range s.versions {
		n += len(v.labels)
	}
	if n > secretstore.MaxLabels {
		return failure("LimitExceededException", "The secret has reached the limit of %d staging labels over all its versions.", secretstore.MaxLabels)
	}
	return nil
}

// prune makes room for one version more, removing unlabelled ones of more than
// a day, the oldest first.
func (s *secret) prune(now time.Time) {
	excess := len(s.versions) + 1 - maxVersions
	s.versions = slices.DeleteFunc(s.versions, func(v *version) bool {
		if excess <= 0 || len(v.labels) > 0 || now.Sub(v.created) < prunableAfter {
			return false
		}
		excess--
		return true
	})
}
