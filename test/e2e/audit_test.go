package e2e

import (
	"strings"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// asManager writes as the one account that may write status, as somebody can who took its token.
func asManager() client.Client {
	GinkgoHelper()
	scheme := runtime.NewScheme()
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	config := w.Cluster.AdminConfig()
	config.Impersonate.UserName = "system:serviceaccount:secretreview-system:secretreview-manager"
	config.Impersonate.Groups = []string{"system:masters"}
	c, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}

var _ = Describe("The history of an environment", func() {
	const rob, ada = "rob", "ada"
	var team *world.Team
	apply := func(args ...string) string {
		GinkgoHelper()
		name := team.As(world.Alice).Propose(args...)
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y", "-c", "fine")).To(end(0, "is applied"))
		team.AwaitReady()
		return name
	}
	BeforeEach(func() {
		team = w.NewTeam(world.Options{
			Live: map[string]string{"A": w.Secret("a")}, Rollbackers: []string{rob}, Auditors: []string{ada},
			Policy: func(p *v1alpha1.SecretProjectSpec) {
				p.ConflictPolicy = v1alpha1.ConflictByKey
				p.VersionHistory = ptr.To(int32(3))
			},
		})
	})

	It("holds through all ways in which a change ends, and across a crash", func() {
		apply("--set", "A="+w.Secret("one"))
		rejected := team.As(world.Alice).Propose("--set", "A="+w.Secret("no"))
		team.Await(rejected, v1alpha1.PhasePending)
		Expect(team.As(world.Carol).SR("reject", rejected, "-c", "No.", "-y")).To(end(0, "ejected"))
		team.Await(rejected, v1alpha1.PhaseRejected)
		w.Manager.Kill()
		w.Manager.Start()
		for _, value := range []string{"two", "three", "four", "five"} {
			apply("--set", "A="+w.Secret(value))
		}
		Expect(team.As(rob).SR("rollback", "--latest", "-r", "It broke the login", "-y")).To(end(0, "is applied"))
		withdrawn := team.As(world.Alice).Propose("--set", "B="+w.Secret("b"))
		team.Await(withdrawn, v1alpha1.PhasePending)
		Expect(team.As(world.Alice).SR("reject", withdrawn, "-c", "Sorry.", "-y")).To(end(0, ""))
		team.Await(withdrawn, v1alpha1.PhaseRejected)

		verified := team.As(ada).SR("audit", "verify")
		Expect(verified).To(end(0, "holds", "1-6", "1-2"))
		exported := team.As(ada).SR("audit", "export")
		Expect(exported).To(end(0, rejected, withdrawn))
		Expect(strings.Count(exported.Out, "\n")).To(Equal(8))
		Expect(exported.Out).NotTo(ContainSubstring(w.Mark))
	})

	It("shows who has rewritten it in the cluster, and in AWS", func() {
		first := apply("--set", "A="+w.Secret("one"))
		last := apply("--set", "A="+w.Secret("two"))
		ada := team.As(ada)
		exported := ada.SR("audit", "export")
		ada.Write("history.jsonl", exported.Out)

		By("somebody who can write status, makes the digest anew as well, and is found by what came after")
		altered := team.Change(first)
		altered.Status.Decision.Approvers = []string{world.Carol}
		altered.Status.Audit = nil
		Expect(asManager().Status().Update(GinkgoT().Context(), &altered)).To(Succeed())
		altered.Status.Audit = audit.Heads{}.Seal(&altered)
		Expect(asManager().Status().Update(GinkgoT().Context(), &altered)).To(Succeed())
		Expect(ada.SR("audit", "verify")).To(end(3, "broken at record 2 of the chain Live", last))
		Expect(ada.SR("audit", "verify", "--export", "history.jsonl", "--offline")).To(end(3, "is not the one that was exported", first))

		By("somebody in AWS, who makes their own version look like the change's")
		change := team.Change(last)
		forged := uuid.NewString()
		w.Account().Must("PutSecretValue", map[string]any{
			"SecretId": team.LiveName(world.Production), "ClientRequestToken": forged, "SecretString": "{}", "VersionStages": []string{"mine"},
		})
		w.Account().Must("UpdateSecretVersionStage", map[string]any{
			"SecretId": team.LiveName(world.Production), "VersionStage": "sr-" + string(change.UID),
			"RemoveFromVersionId": change.Status.AppliedVersionID, "MoveToVersionId": forged,
		})
		Expect(ada.SR("audit", "verify")).To(end(3, "AWS has version "+forged+" of change", last))
	})
})
