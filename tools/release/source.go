package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// source is what a release is made from.
type source struct {
	// revision is the commit; "-dirty" follows it where files are not as they are committed.
	revision string
	// committed stands for when the release was made, so that it does not tell when that really was.
	committed time.Time
}

func readSource(root string) (source, error) {
	revision, err := git(root, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
	if err != nil {
		return source{}, err
	}
	seconds, err := git(root, "log", "-1", "--format=%ct")
	if err != nil {
		return source{}, err
	}
	committed, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return source{}, fmt.Errorf("read the time of commit %s: %w", revision, err)
	}
	return source{revision: revision, committed: time.Unix(committed, 0).UTC()}, nil
}

func git(root string, args ...string) (string, error) {
	output, err := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
	if err != nil {
		err = fmt.Errorf("ask git which commit this is, which a release is made from: %w", err)
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return "", err
	}
	return strings.TrimSpace(string(output)), nil
}
