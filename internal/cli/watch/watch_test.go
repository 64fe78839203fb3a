package watch_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

// patience is for a machine with much else to do.
const patience = 60 * time.Second

func TestWatch(t *testing.T) {
	SetDefaultEventuallyTimeout(patience)
	suite.Run(t, "sr watch")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

// watching is a watch that goes on while a spec does.
type watching struct {
	out, errOut *gbytes.Buffer
	ended       chan clitest.Result
	press       context.CancelFunc
}

// begin starts a watch as bob.
func begin(scene *clitest.Scene, terminal factory.Terminal, args ...string) *watching {
	w := &watching{out: gbytes.NewBuffer(), errOut: gbytes.NewBuffer(), ended: make(chan clitest.Result, 1)}
	bob := scene.As(clitest.Bob)
	bob.Terminal = terminal
	ctx, cancel := context.WithCancel(context.Background())
	w.press = cancel
	DeferCleanup(func() { cancel() })
	bob.Context = func() context.Context { return ctx }
	bob.Alter = func(f *factory.Factory) { f.Out, f.ErrOut = w.out, w.errOut }
	go func() {
		defer GinkgoRecover()
		w.ended <- bob.Run(append([]string{"watch"}, args...)...)
	}()
	return w
}

func (w *watching) end() clitest.Result {
	GinkgoHelper()
	w.press()
	var result clitest.Result
	Eventually(w.ended).Should(Receive(&result))
	return result
}

var _ = Describe("watch", func() {
	var scene *clitest.Scene
	BeforeEach(func() { scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1"}) })

	propose := func(value string) string {
		GinkgoHelper()
		result := scene.As(clitest.Alice).Run("propose", "-p", clitest.Project, "-e", clitest.Production, "-r", "be\x1bcause", "-o", "name", "--set", "A="+value)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		_, name, _ := strings.Cut(strings.TrimSpace(result.Out), "/")
		return name
	}
	read := func(name string) *v1alpha1.SecretChange {
		GinkgoHelper()
		change := &v1alpha1.SecretChange{}
		Expect(scene.Admin.Get(context.Background(), client.ObjectKey{Namespace: scene.Namespace, Name: name}, change)).To(Succeed())
		return change
	}
	advance := func(name string, phase v1alpha1.Phase, message string) {
		GinkgoHelper()
		change := read(name)
		status := change.Status
		status.ObservedGeneration, status.Phase, status.Message, status.Approvals = change.Generation, phase, message, "0/1"
		scene.SetStatus(change, status)
	}

	It("tells of a change from its beginning to its end, on lines", func() {
		w := begin(scene, factory.Terminal{}, "-p", clitest.Project)
		name := propose("9")
		who := name + "  backend-api/production"
		Eventually(w.out).Should(gbytes.Say(`\d\d:\d\dZ  (proposed|open    )  ` + who + `  by alice: "be\\x1bcause"` + "\n"))
		advance(name, v1alpha1.PhasePending, "Waiting for 1 more approval")
		Eventually(w.out).Should(gbytes.Say(`Z  waiting   ` + who + `  0/1: Waiting for 1 more approval` + "\n"))
		Expect(scene.As(clitest.Bob).Run("approve", name, "-y", "--no-wait", "-c", "fine").Code).To(Equal(exit.OK))
		Eventually(w.out).Should(gbytes.Say(`Z  approved  ` + who + `  by bob: fine` + "\n"))
		advance(name, v1alpha1.PhaseApproved, "Being made live")
		Eventually(w.out).Should(gbytes.Say(`Z  decided   ` + who + `: Being made live` + "\n"))
		advance(name, v1alpha1.PhaseApplied, "Live as version 7")
		Eventually(w.out).Should(gbytes.Say(`Z  live      ` + who + `: Live as version 7` + "\n"))
		result := w.end()
		Expect(result.Code).To(Equal(exit.Cancelled))
		Expect(w.errOut.Contents()).To(BeEmpty())
	})

	It("begins with those that are open, and tells of those that go", func() {
		first, second := propose("8"), propose("9")
		advance(first, v1alpha1.PhasePending, "Waiting")
		w := begin(scene, factory.Terminal{}, "--all")
		Eventually(w.out).Should(gbytes.Say("open"))
		Eventually(w.out).Should(gbytes.Say("open"))
		Expect(string(w.out.Contents())).To(And(
			ContainSubstring(first+`  backend-api/production  Pending  0/1  by alice: "be\x1bcause"`),
			ContainSubstring(second+`  backend-api/production  by alice: "be\x1bcause"`)))
		advance(first, v1alpha1.PhaseExpired, "It is too late")
		Eventually(w.out).Should(gbytes.Say(`ended     ` + first + `  backend-api/production  Expired: It is too late`))
		Expect(scene.Admin.Delete(context.Background(), read(second))).To(Succeed())
		Eventually(w.out).Should(gbytes.Say(`deleted   ` + second))
		w.end()
	})

	It("prints an object a line, for another program", func() {
		name := propose("9")
		w := begin(scene, factory.Terminal{}, "--all", "-o", "json")
		Eventually(w.out).Should(gbytes.Say("\n"))
		var event map[string]string
		Expect(json.Unmarshal(w.out.Contents(), &event)).To(Succeed())
		Expect(event).To(And(HaveKeyWithValue("event", "open"), HaveKeyWithValue("change", name), HaveKeyWithValue("by", "alice"),
			HaveKeyWithValue("text", "be\x1bcause"), HaveKeyWithValue("namespace", scene.Namespace), HaveKey("time")))
		Expect(string(w.out.Contents())).NotTo(ContainSubstring("\x1b"))
		w.end()
	})

	It("fits a terminal, and says on it what is watched", func() {
		name := propose("9")
		w := begin(scene, factory.Terminal{StdoutTTY: true, StderrTTY: true, Width: 60}, "-p", clitest.Project, "-e", clitest.Production)
		Eventually(w.out).Should(gbytes.Say("cause"))
		Eventually(w.errOut).Should(gbytes.Say("Watching project .* Ctrl-C ends it."))
		Expect(string(w.out.Contents())).To(MatchRegexp(`\A\d\d:\d\d:\d\dZ  open      ` + name + `  by\n    alice: "be\\x1bcause"\n\z`))
		w.end()
	})

	It("goes on where the connection is lost, and tells what happened meanwhile", func() {
		name := propose("9")
		way := clitest.NewProxy(GinkgoTB(), scene.Cluster.AdminConfig().Host)
		w := begin(scene, factory.Terminal{}, "--all", "--server", way.URL())
		Eventually(w.out).Should(gbytes.Say("open      " + name))
		way.Cut()
		Eventually(w.errOut).Should(gbytes.Say("The cluster does not answer: trying again."))
		advance(name, v1alpha1.PhasePending, "Waiting")
		advance(name, v1alpha1.PhaseRejected, "No")
		other := propose("8")
		way.Mend()
		Eventually(w.out).Should(gbytes.Say("(?s)(ended     " + name + ".*proposed  " + other + "|proposed  " + other + ".*ended     " + name + ")"))
		Eventually(w.errOut).Should(gbytes.Say("The cluster answers again."))
		Expect(strings.Count(string(w.errOut.Contents()), "trying again")).To(Equal(1))
		w.end()
	})

	It("ends at once where it cannot begin", func() {
		eve := scene.As(clitest.Eve).Run("watch", "--all")
		Expect(eve.Code).To(Equal(exit.Denied))
		Expect(eve.Err).To(And(HavePrefix("sr: list the changes in namespace"), MatchRegexp(`\A[^\n]+\n\z`)))
		away := scene.As(clitest.Bob).Run("watch", "--all", "--server", "https://127.0.0.1:1")
		Expect(away.Code).To(Equal(exit.Unavailable))
		Expect(scene.As(clitest.Bob).Run("watch", "-o", "yaml").Code).To(Equal(exit.Usage))
	})
})
