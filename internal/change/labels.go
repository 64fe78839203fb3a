package change

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
)

// LabelOf tells of one of our labels on a version. named is the change whose UID
// it bears, nil if the cluster has none; record is the project's of the
// environment, nil if there is none.
func LabelOf(version, uid string, named *v1alpha1.SecretChange, record *v1alpha1.EnvironmentStatus) Label {
	l := Label{VersionID: version, ChangeUID: uid}
	l.AppliedAt, l.Known = onRecord(record, version)
	if named == nil {
		return l
	}
	status := named.Status
	l.Known, l.Unfinished, l.Applying = true, !status.Phase.Finished(), status.Phase == v1alpha1.PhaseApproved
	l.Record = audit.Heads{}.With(named).Live
	if status.AppliedAt != nil {
		l.AppliedAt, l.DecidedAt = status.AppliedAt.Time, timeOf(status.DecidedAt)
	}
	return l
}

// onRecord reports whether the project remembers a version whose change is gone:
// purged since, or brought back by a backup under another UID. It returns when
// that became live, zero if that is not on record.
func onRecord(record *v1alpha1.EnvironmentStatus, version string) (appliedAt time.Time, known bool) {
	if record == nil {
		return time.Time{}, false
	}
	if record.LastAppliedVersionID == version {
		return timeOf(record.LastAppliedTime), true
	}
	for _, v := range record.Versions {
		if v.VersionID == version {
			return timeOf(v.Time), true
		}
	}
	return time.Time{}, false
}

func timeOf(t *metav1.MicroTime) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
