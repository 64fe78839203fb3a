// Package verdict gives a reviewer's verdict on a change that they were shown,
// and follows what comes of it.
package verdict

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// maxCommentBytes is the CRD's limit.
const maxCommentBytes = 2048

// operation is one step of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// CheckComment fails with an exit.Error of Usage for a comment that the API
// server would refuse.
func CheckComment(comment string) error {
	if !utf8.ValidString(comment) {
		return exit.Errorf(exit.Usage, "the comment is not valid UTF-8: type it again")
	}
	if len(comment) > maxCommentBytes {
		return exit.Errorf(exit.Usage, "the comment has %d bytes, and %d are allowed: shorten it", len(comment), maxCommentBytes)
	}
	return nil
}

// Given returns the reviewer's review of the change, or nil.
func Given(change *v1alpha1.SecretChange, reviewer string) *v1alpha1.Review {
	if at := place(change, reviewer); at >= 0 {
		return &change.Spec.Reviews[at]
	}
	return nil
}

func place(change *v1alpha1.SecretChange, reviewer string) int {
	for i, review := range change.Spec.Reviews {
		if review.Reviewer == reviewer {
			return i
		}
	}
	return -1
}

// Open fails with an exit.Error of Refused or Conflict for a change that has
// ended.
func Open(change *v1alpha1.SecretChange) error {
	phase := change.Status.Phase
	if !phase.Finished() {
		return nil
	}
	code := exit.Refused
	if phase == v1alpha1.PhaseConflicted {
		code = exit.Conflict
	}
	return exit.Errorf(code, "change %q has already ended as %s and takes no more reviews: %s",
		change.Name, phase, strings.TrimSuffix(change.Status.Message, "."))
}

// plan returns the patch that adds a review to the change as it was shown: to
// this very object, and to the values that it pins. It is nil where the review
// is there already.
func plan(change *v1alpha1.SecretChange, review v1alpha1.Review) ([]byte, error) {
	if err := Open(change); err != nil {
		return nil, err
	}
	operations := []operation{{"test", "/metadata/uid", change.UID}}
	if staged := change.Spec.Staged; staged != nil {
		operations = append(operations, operation{"test", "/spec/staged/digest", staged.Digest})
	}
	switch at := place(change, review.Reviewer); {
	case at < 0 && len(change.Spec.Reviews) >= v1alpha1.MaxReviews:
		return nil, exit.Errorf(exit.Refused, "change %q has %d reviews already, and takes no more: propose it again", change.Name, v1alpha1.MaxReviews)
	case at < 0:
		operations = append(operations, operation{"add", "/spec/reviews/-", review})
	case change.Spec.Reviews[at].Verdict == review.Verdict:
		return nil, nil
	case change.Spec.Reviews[at].Verdict == v1alpha1.VerdictRejected:
		return nil, exit.Errorf(exit.Refused, "you have rejected change %q, which cannot be taken back: propose it again", change.Name)
	default:
		path := fmt.Sprintf("/spec/reviews/%d", at)
		operations = append(operations,
			operation{"test", path + "/reviewer", review.Reviewer},
			operation{"test", path + "/verdict", v1alpha1.VerdictApproved},
			operation{"replace", path, review})
	}
	patch, err := json.Marshal(operations)
	if err != nil {
		return nil, fmt.Errorf("write the review: %w", err)
	}
	return patch, nil
}
