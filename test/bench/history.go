package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// aims are the manager's memory at most, in MiB, by how many finished changes there are.
var aims = map[int]float64{10_000: 150, 100_000: 500}

// history looks at what finished changes cost: 500 in each environment, as many as are kept in the default.
func history(ctx context.Context, b *bench) error {
	sizes := []int{1000, 10_000, 100_000}
	if b.quick {
		sizes = []int{1000, 10_000}
	}
	return b.with(ctx, []string{fmt.Sprintf("--aws-writes-per-second=%d", unlimited)}, func(s *site) error {
		if err := s.people(); err != nil {
			return err
		}
		likeness, err := s.likeness(ctx)
		if err != nil {
			return err
		}
		etcd, err := s.etcd()
		if err != nil {
			return err
		}
		have := 0
		for _, size := range sizes {
			if err := s.manager.Stop(ctx); err != nil {
				return err
			}
			more := (size - have) / perEnvironment
			environments, err := s.environments(ctx, fmt.Sprintf("with-%d", size), more)
			if err != nil {
				return err
			}
			err = each(ctx, more, func(ctx context.Context, i int) error {
				return etcd.past(ctx, environments[i], have/perEnvironment+i, perEnvironment, likeness)
			})
			if err != nil {
				return err
			}
			if err := s.digested(ctx, have/perEnvironment, more); err != nil {
				return err
			}
			have = size
			if err := s.withHistory(ctx, b, size, environments); err != nil {
				return fmt.Errorf("%d finished changes: %w", size, err)
			}
		}
		return nil
	})
}

// digested waits until the API server knows what was written past it: the last change of each environment.
func (s *site) digested(ctx context.Context, first, count int) error {
	for i := first + max(0, count-workers); i < first+count; i++ {
		last := client.MatchingFields{"metadata.name": pastName(i, perEnvironment-1)}
		known := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "0"}}
		err := s.until(ctx, s.emulator, func(ctx context.Context) (bool, error) {
			var list v1alpha1.SecretChangeList
			err := s.admin.List(ctx, &list, client.InNamespace(namespace), last, known)
			return len(list.Items) == 1, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// likeness is a change that was rejected, and one that was applied, as etcd has them.
func (s *site) likeness(ctx context.Context) (found [2]map[string]any, err error) {
	environments, err := s.environments(ctx, "likeness", 1)
	if err != nil {
		return found, err
	}
	etcd, err := s.etcd()
	if err != nil {
		return found, err
	}
	for i, verdict := range []v1alpha1.Verdict{v1alpha1.VerdictRejected, v1alpha1.VerdictApproved} {
		before, err := s.managerMetrics(ctx)
		if err != nil {
			return found, err
		}
		names, err := s.proposed(ctx, fmt.Sprintf("likeness-%d", i), 1, environments)
		if err != nil {
			return found, err
		}
		if err := s.review(ctx, names[0], verdict); err != nil {
			return found, err
		}
		if err := s.cleaned(ctx, before, 1); err != nil {
			return found, err
		}
		err = s.until(ctx, s.manager, func(ctx context.Context) (bool, error) {
			found[i], err = etcd.get(ctx, names[0])
			if err != nil {
				return false, err
			}
			_, held := found[i]["metadata"].(map[string]any)["finalizers"]
			return !held, nil
		})
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// withHistory starts a manager and looks at it, at sr, and at what one more change costs.
func (s *site) withHistory(ctx context.Context, b *bench, size int, environments []environment) error {
	name := fmt.Sprintf("%d finished changes: ", size)
	began := time.Now()
	if err := s.startManager(ctx, fmt.Sprintf("--aws-writes-per-second=%d", unlimited)); err != nil {
		return err
	}
	b.report.add(name+"from start until it leads", time.Since(began).Seconds(), "s")
	if err := s.rest(ctx); err != nil {
		return err
	}
	cpu, err := cpuSeconds(s.manager.PID())
	if err != nil {
		return err
	}
	b.report.add(name+"from start until nothing is left to do", time.Since(began).Seconds(), "s")
	b.report.add(name+"processor time until then", cpu, "s")

	work, err := s.environments(ctx, fmt.Sprintf("work-%d", size), 1)
	if err != nil {
		return err
	}
	if err := s.warm(ctx, fmt.Sprintf("warm-%d", size), work); err != nil {
		return err
	}
	names, err := s.proposed(ctx, fmt.Sprintf("more-%d", size), b.size(50, 20), work)
	if err != nil {
		return err
	}
	found, err := s.approveAll(ctx, names)
	if err != nil {
		return err
	}
	for _, program := range []string{"manager", "kube-apiserver"} {
		b.report.add(name+"processor time of one more from its approval on, "+program, 1000*found.cpu[program]/float64(len(names)), "ms")
	}
	if err := s.memory(ctx, b, name, size); err != nil {
		return err
	}
	return s.look(ctx, b, name, environments[0])
}

// rest waits until the manager has nothing to do.
func (s *site) rest(ctx context.Context) error {
	return s.until(ctx, s.manager, func(ctx context.Context) (bool, error) {
		m, err := s.managerMetrics(ctx)
		return m.sum("workqueue_depth")+m.sum("controller_runtime_active_workers") == 0 &&
			m.sum("secretreview_inventory_rounds_total") > 0, err
	})
}

func (s *site) memory(ctx context.Context, b *bench, name string, size int) error {
	memory, err := status(s.manager.PID(), "VmRSS", "VmHWM")
	if err != nil {
		return err
	}
	heap, err := s.liveHeap(ctx)
	if err != nil {
		return err
	}
	resident, peak := float64(memory["VmRSS"])/1024, float64(memory["VmHWM"])/1024
	if aim, ok := aims[size]; ok {
		b.report.atMost(name+"the manager's memory (RSS)", resident, aim, "MiB")
		b.report.atMost(name+"its peak since the start", peak, aim, "MiB")
	} else {
		b.report.add(name+"the manager's memory (RSS)", resident, "MiB")
		b.report.add(name+"its peak since the start", peak, "MiB")
	}
	b.report.add(name+"of which live objects of Go", heap/(1<<20), "MiB")
	return b.keepProfile(ctx, s, "heap?gc=1", fmt.Sprintf("history-%d-heap", size))
}

// look runs what people look with.
func (s *site) look(ctx context.Context, b *bench, name string, env environment) error {
	for _, one := range []struct {
		what  string
		count int
		args  []string
	}{
		{"sr status of an environment", 10, []string{"status", "-p", env.project, "-e", env.name}},
		{"sr history of an environment", 10, []string{"history", "-p", env.project, "-e", env.name}},
		{"sr status --all", 5, []string{"status", "--all"}},
		{"sr history --all, which reads all of them", 1, []string{"history", "--all"}},
	} {
		found, err := s.run(ctx, one.count, filepath.Join(s.bin, "sr"), append(one.args, "-n", namespace)...)
		if err != nil {
			return err
		}
		b.report.add(name+one.what+", p50", percentile(found.wall, 0.5), "ms")
		b.report.add(name+one.what+", processor time", percentile(found.cpu, 0.5), "ms")
	}
	return nil
}
