// Package image_test makes the images as a release does, pushes them to a registry, and looks at what can be pulled
// from there.
package image_test
