package selector

import (
	"slices"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/printers"
)

// newest keeps the changes that ended last, of as many as come. It holds about
// twice as many as its limit, or all if that is 0.
type newest struct {
	limit int
	// seen counts all that came.
	seen int
	kept []v1alpha1.SecretChange
}

// slack keeps a small limit from sorting at every other change.
const slack = 64

func (l *newest) add(c *v1alpha1.SecretChange) {
	l.seen++
	// A copy, because a pointer would hold the page that the change came in.
	l.kept = append(l.kept, *c)
	if l.limit > 0 && len(l.kept) > 2*l.limit+slack {
		l.cut()
	}
}

func (l *newest) cut() {
	slices.SortFunc(l.kept, func(a, b v1alpha1.SecretChange) int {
		if order := printers.Ended(&b).Compare(printers.Ended(&a)); order != 0 {
			return order
		}
		if Newer(&a, &b) {
			return -1
		}
		return 1
	})
	if l.limit > 0 && len(l.kept) > l.limit {
		clear(l.kept[l.limit:])
		l.kept = l.kept[:l.limit]
	}
}

// sorted returns them, the latest first.
func (l *newest) sorted() []v1alpha1.SecretChange {
	l.cut()
	return l.kept
}
