package attack

import (
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
	"github.com/secretreview/secretreview/test/install"
)

var _ = Describe("Keeping others from working", func() {
	It("a flood of one proposer's changes leaves others their own limit", func() {
		team := w.NewTeam(world.Options{Live: live(), Proposers: []string{world.Alice, "dave"}, Policy: func(p *v1alpha1.SecretProjectSpec) { p.PendingLimit = ptr.To[int32](2) }})
		dave := team.As("dave")
		var last string
		for i := range 4 {
			last = dave.Propose("--set", fmt.Sprintf("FLOOD_%d=%s", i, w.Secret("flood")))
		}
		Expect(team.Await(last, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("withdraw some first"))
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("changes of others cannot be withdrawn, deleted or hidden by who may only propose", func() {
		team := w.NewTeam(world.Options{Live: live(), Proposers: []string{world.Alice, "dave"}})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		dave := team.As("dave")
		Expect(dave.SR("reject", name, "-y", "--without-values")).To(end(6, "may not approve changes"))
		Expect(dave.Kubectl("delete", "schg", name, "-n", team.Namespace)).To(end(1, "may not delete the change"))
		Expect(dave.Kubectl("delete", "schg", "--all", "-n", team.Namespace)).To(end(1, "forbidden"))
		Expect(dave.Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=merge", "-p", `{"spec":{"environment":"dev"}}`)).To(end(1, "environment is immutable"))
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("a change's name that another has taken first is refused loudly, and what both have staged stays theirs", func() {
		team := w.NewTeam(world.Options{Live: live(), Proposers: []string{world.Alice, "dave"}})
		forGit := team.As(world.Alice).Manifest("--set", "A="+w.Secret("one"))
		squat := team.As("dave").Manifest("--set", "A="+w.Secret("squat"))
		squat.Name = forGit.Name
		Expect(team.As("dave").Create(squat)).To(end(0))
		team.Await(forGit.Name, v1alpha1.PhaseInvalid)
		Expect(team.As(world.Alice).Create(forGit)).To(end(1, "already exists"))
		Expect(team.Staged()).To(ContainElement(team.StagedName(forGit.Name)))
		Expect(team.LiveValues()).To(Equal(live()))
	})

	It("a record of the policies that somebody has spoilt vouches for nothing, and is said to be", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		before := team.As(world.Admin).Kubectl("get", "configmap", "secretreview-admission", "-n", install.Namespace, "-o", "json")
		Expect(before).To(end(0))
		var object map[string]any
		Expect(json.Unmarshal([]byte(before.Out), &object)).To(Succeed())
		record := object["data"].(map[string]any)["record.json"].(string)
		set := func(text string, start func()) {
			GinkgoHelper()
			patch, err := json.Marshal(map[string]any{"data": map[string]string{"record.json": text}})
			Expect(err).NotTo(HaveOccurred())
			Expect(team.As(world.Admin).Kubectl("patch", "configmap", "secretreview-admission", "-n", install.Namespace, "--type=merge", "-p", string(patch))).To(end(0))
			w.Manager.Kill()
			start()
		}
		DeferCleanup(func() {
			set(record, w.Manager.Start)
			team.AwaitReady()
		})
		set(`{"epoch": nonsense`, w.Manager.StartUnready)
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait")).To(end(0))
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonPoliciesWeakened)
		Eventually(w.Manager.Log).Should(ContainSubstring("delete the ConfigMap to begin a new epoch"))
		Expect(team.LiveValues()).To(Equal(live()))
	})
})
