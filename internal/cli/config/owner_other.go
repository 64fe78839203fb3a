//go:build !unix

package config

import "io/fs"

// trusted is for systems whose temporary directories belong to one user.
func trusted(fs.FileInfo, string) bool { return true }

// exposed is for systems whose modes do not say who may read a file.
func exposed(fs.FileInfo) bool { return false }
