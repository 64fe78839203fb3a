package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Backup copies etcd's data into dir, which must not exist. Nobody is answered meanwhile: API server and etcd are stopped
// for it, and started again.
func (c *Cluster) Backup(ctx context.Context, dir string) error {
	return c.whileStopped(ctx, func() error {
		if err := os.CopyFS(dir, os.DirFS(c.EtcdDataDir())); err != nil {
			return fmt.Errorf("cannot copy etcd's data: %w", err)
		}
		return nil
	})
}

// Restore puts etcd back to what Backup has copied into dir, as if nothing had happened since: revisions are given out a
// second time. Whoever else runs is not told.
func (c *Cluster) Restore(ctx context.Context, dir string) error {
	return c.whileStopped(ctx, func() error {
		if err := os.RemoveAll(c.EtcdDataDir()); err != nil {
			return fmt.Errorf("cannot remove etcd's data: %w", err)
		}
		if err := os.CopyFS(c.EtcdDataDir(), os.DirFS(dir)); err != nil {
			return fmt.Errorf("cannot put etcd's data back: %w", err)
		}
		return nil
	})
}

// RestartEtcd ends etcd at once, as a power cut would, and starts it again, while the API server waits for it. It returns when
// the API server answers.
func (c *Cluster) RestartEtcd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.etcd.Kill(); err != nil {
		return err
	}
	if err := c.startEtcd(); err != nil {
		return err
	}
	return c.awaitAPIServer(ctx)
}

// whileStopped does something while neither etcd nor the API server runs.
func (c *Cluster) whileStopped(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// The API server would wait for those who watch.
	if err := errors.Join(c.KillAPIServer(), stop(ctx, c.etcd)); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if err := c.startEtcd(); err != nil {
		return err
	}
	return c.StartAPIServer(ctx)
}
