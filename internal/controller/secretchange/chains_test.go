package secretchange

import (
	"testing"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
)

func TestARecordThatABackupBringsBackIsFollowed(t *testing.T) {
	restored := &v1alpha1.SecretChange{}
	restored.Namespace, restored.Spec.Project, restored.Spec.Environment = "demo", "api", "production"
	restored.Status.Phase = v1alpha1.PhaseRejected
	restored.Status.Audit = &v1alpha1.AuditSeal{ChainLink: v1alpha1.ChainLink{Sequence: 31, Digest: "d"}}

	var c chains
	c.saw(restored)
	if len(c.environments) != 0 {
		t.Error("it remembers environments that nobody asked for")
	}
	known := c.of(restored)
	known.heads = &audit.Heads{Other: v1alpha1.ChainLink{Sequence: 1}}
	c.saw(restored)
	if known.heads.Other.Sequence != 31 {
		t.Errorf("the next record would follow number %d", known.heads.Other.Sequence)
	}
	restored.Status.Audit.Sequence = 7
	c.saw(restored)
	if known.heads.Other.Sequence != 31 {
		t.Error("an older one takes its place")
	}
}
